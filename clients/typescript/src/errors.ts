import type { TopupErrorCode } from "./codes.js";
import type { components } from "./schema.js";

type Problem = components["schemas"]["Problem"];

/** An invalid field of a request. */
export type FieldError = components["schemas"]["FieldError"];
/** A limit of spending that was reached. */
export type ReachedLimit = components["schemas"]["ReachedLimit"];

/** What an error has besides its code. */
export interface ErrorDetails {
  status?: number;
  problem?: Partial<Problem> | undefined;
  retryAfterSeconds?: number | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/**
 * The service refused a request, or its answer did not come. Decide by `code`; `message` is for developers and logs,
 * not for customers.
 */
export class TopupError extends Error {
  override readonly name = "TopupError";
  /** Stable and machine-readable. */
  readonly code: TopupErrorCode;
  /** The HTTP status, or 0 if there was no answer. */
  readonly status: number;
  /** The invalid fields of the request; empty if none is named. */
  readonly fieldErrors: readonly FieldError[];
  /** After how many seconds a repetition makes sense, if the service said so. */
  readonly retryAfterSeconds: number | undefined;
  /** The id of the request in the service's log. */
  readonly requestId: string | undefined;
  /** How many credits were needed at least. */
  readonly requiredCredits: number | undefined;
  /** How many credits can be spent or reserved now. */
  readonly availableCredits: number | undefined;
  /** How many credits open holds reserve. */
  readonly heldCredits: number | undefined;
  /** How far the balance is below zero. */
  readonly owedCredits: number | undefined;
  /** The limit, for `spend_limit_reached`. */
  readonly limit: ReachedLimit | undefined;

  constructor(code: TopupErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    const { status = 0, problem, retryAfterSeconds, requestId } = details;
    this.code = code;
    this.status = status;
    this.fieldErrors = problem?.errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
    this.requestId = requestId;
    this.requiredCredits = problem?.requiredCredits;
    this.availableCredits = problem?.availableCredits;
    this.heldCredits = problem?.heldCredits;
    this.owedCredits = problem?.owedCredits;
    this.limit = problem?.limit;
  }

  /** Whether the account has too few credits for now: the balance, a limit, or open holds. */
  get isShortOfCredits(): boolean {
    return ["insufficient_credits", "spend_limit_reached", "credits_held"].includes(this.code);
  }

  /** Whether the same request, with the same idempotency key, may succeed later without a change of yours. */
  get mayPass(): boolean {
    return this.status === 0 || [408, 429, 503, 504].includes(this.status) || this.code === "credits_held"
      || this.code === "idempotency_key_in_use" || this.code === "unexpected_answer";
  }
}

/** The seconds of a `Retry-After`, which may be a number or a date; undefined if it is neither. */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil((atMs - nowMs) / 1_000));
}

/** The problem in a body; undefined if the answer is not one of Topup's. */
export function problemOf(body: unknown): Partial<Problem> | undefined {
  const value: unknown = typeof body === "string" ? parsed(body) : body;
  const isProblem = typeof value === "object" && value !== null && "code" in value && typeof value.code === "string";
  return isProblem ? (value as Partial<Problem>) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error of an answer that is no success. */
export function errorOf(response: Response, body: unknown): TopupError {
  const problem = problemOf(body);
  const details = {
    status: response.status,
    problem,
    retryAfterSeconds: retryAfterSeconds(response.headers, Date.now()),
    requestId: response.headers.get("x-request-id") ?? undefined,
  };
  if (problem?.code) return new TopupError(problem.code, problem.detail ?? problem.code, details);
  const message = `the answer has the status ${response.status} and is not Topup's`;
  return new TopupError("unexpected_answer", message, details);
}

/** The error of one debit of a batch. */
export const errorOfProblem = (status: number, problem: Problem): TopupError =>
  new TopupError(problem.code, problem.detail, { status, problem });
