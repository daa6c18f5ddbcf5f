// The recipe for streams (docs/spending.md): reserve, extend at 80 % of the credits or of the time, capture what was
// used, also when the work fails.

import type { Hold, HoldRequest, Spend } from "./api.js";
import { TopupError } from "./errors.js";
import type { Works } from "./spending.js";

/** The share of the credits, or of the time, after which a hold is extended. */
const NEAR = 0.8;
/** How long a hold lives that names no time. */
const DEFAULT_SECONDS = 900;

/** Credits that are reserved for work that is under way. */
export interface Held {
  /** The hold's id. */
  readonly id: string;
  /** How many credits are reserved now: fewer than asked for, if there were fewer. */
  readonly credits: number;
  /** How many of them the work has used. */
  readonly used: number;
  /** Why no more can be reserved; undefined as long as more may come. */
  readonly refusal: TopupError | undefined;
  /**
   * Uses so many more credits, and reserves more when 80 % are used. Returns false, and uses nothing, if not as many
   * can be reserved: then stop the work. Call it before each step, such as a word or a chunk of an answer.
   */
  use(credits: number): Promise<boolean>;
}

/** What came out of work that was paid by a hold. */
export interface HoldResult<T> {
  /** What the work returned. */
  value: T;
  /** What was captured; 0 credits if the work used none. */
  spend: Spend;
}

/** The work was done, and what it used could not be captured. Capture it later: `capture(holdId, credits)`. */
export class CaptureFailed extends Error {
  override readonly name = "CaptureFailed";
  readonly holdId: string;
  readonly credits: number;

  constructor(holdId: string, credits: number, cause: unknown) {
    super(`${credits} credits of ${holdId} could not be captured; capture them later`, { cause });
    this.holdId = holdId;
    this.credits = credits;
  }
}

/** Does work with a hold, and captures what it used. */
export async function spendWith<T>(
  works: Works,
  hold: Hold,
  request: HoldRequest,
  work: (held: Held) => Promise<T>,
): Promise<HoldResult<T>> {
  const held = new Reserved(works, hold, request);
  let value: T;
  try {
    value = await work(held);
  } catch (error) {
    await held.settle();
    throw error;
  }
  return { value, spend: await held.settle() };
}

class Reserved implements Held {
  readonly id: string;
  credits: number;
  used = 0;
  refusal: TopupError | undefined;
  readonly #works: Works;
  readonly #step: number;
  readonly #lifeMs: number;
  #extendAtMs: number;
  /** Extensions one after the other, also if the work calls `use` several times at once. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(works: Works, hold: Hold, request: HoldRequest) {
    this.#works = works;
    this.id = hold.id;
    this.credits = hold.credits;
    this.#step = request.credits;
    this.#lifeMs = 1_000 * (request.expiresInSeconds ?? DEFAULT_SECONDS);
    this.#extendAtMs = Date.now() + NEAR * this.#lifeMs;
  }

  use(credits: number): Promise<boolean> {
    if (!Number.isSafeInteger(credits) || credits < 0) {
      return Promise.reject(new RangeError("topup: credits must be a whole number, 0 or more"));
    }
    const turn = this.#last.then(() => this.#use(credits));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #use(credits: number): Promise<boolean> {
    const wanted = this.used + credits;
    const isNear = wanted > NEAR * this.credits || Date.now() >= this.#extendAtMs;
    if (isNear && !this.refusal) await this.#extend(wanted);
    if (wanted > this.credits) return false;
    this.used = wanted;
    return true;
  }

  /** Reserves another step, or what there is; what is not near its end lives longer, too. */
  async #extend(wanted: number): Promise<void> {
    const needsMore = wanted > NEAR * this.credits;
    const total = needsMore ? Math.max(this.credits + this.#step, wanted) : this.credits;
    try {
      await this.#extendTo(total);
    } catch (error) {
      if (!(error instanceof TopupError)) throw error;
      this.refusal = error; // what is reserved may still be used
      const rest = Math.min(total, this.credits + (error.availableCredits ?? 0));
      if (error.isShortOfCredits && rest > this.credits) await this.#extendTo(rest).catch(() => {});
    }
  }

  async #extendTo(credits: number): Promise<void> {
    const hold = await this.#works.extend(this.id, { credits, expiresInSeconds: Math.ceil(this.#lifeMs / 1_000) });
    this.credits = hold.credits;
    this.#extendAtMs = Date.now() + NEAR * this.#lifeMs;
  }

  async settle(): Promise<Spend> {
    await this.#last;
    try {
      return await this.#works.capture(this.id, this.used);
    } catch (error) {
      throw new CaptureFailed(this.id, this.used, error);
    }
  }
}
