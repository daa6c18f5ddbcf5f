/** How numbers of credits and amounts are written for people. */
export interface CreditFormat {
  /** How many digits of a number of credits are decimals for people: a quote's `creditDisplayDecimals`. */
  decimals?: number | undefined;
  /** A language tag; by default the page's or the system's. */
  locale?: string | undefined;
  /** Whether to write a plus before gains. */
  signed?: boolean | undefined;
}

/** Writes a number of credits: with 2 decimals, 250 is `2.50`. The point moves in the text, so nothing is rounded. */
export function formatCredits(credits: number, { decimals = 0, locale, signed = false }: CreditFormat = {}): string {
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: Math.min(decimals, 2),
    maximumFractionDigits: decimals,
    signDisplay: signed ? "exceptZero" : "auto",
  });
  return format.format(`${credits}e-${decimals}` as Intl.StringNumericLiteral);
}

/** The number of credits of a text in a field of type `number`: with 2 decimals, "2.5" is 250. NaN for other texts. */
export function parseCredits(text: string, decimals = 0): number {
  if (!/^\s*\d*\.?\d+\s*$/.test(text)) return Number.NaN;
  const credits = Number(`${text.trim()}e${decimals}`);
  return Number.isSafeInteger(credits) ? credits : Number.NaN;
}

// Stripe's number of decimals per currency. `Intl` has a different list, for written prices: it writes forints without
// decimals, but Stripe counts hundredths. Stripe counts ISK and UGX in hundredths too, but accepts whole units only.
const ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ");
const THREE_DECIMAL = "bhd jod kwd omr tnd".split(" ");
const WRITTEN_WHOLE = ["isk", "ugx"];

/** How many decimals the minor unit of a currency stands for: 2 for `usd`. */
export const minorDigits = (currency: string): number =>
  (ZERO_DECIMAL.includes(currency) ? 0 : THREE_DECIMAL.includes(currency) ? 3 : 2);

/** Writes an amount, which is an integer in minor units of its currency: 289 and `usd` are `$2.89`. */
export function formatMoney(amountMinor: number, currency: string, locale?: string): string {
  const digits = minorDigits(currency);
  const shown = WRITTEN_WHOLE.includes(currency) ? 0 : digits;
  const options = { style: "currency", currency, minimumFractionDigits: shown, maximumFractionDigits: shown } as const;
  return new Intl.NumberFormat(locale, options).format(`${amountMinor}e-${digits}` as Intl.StringNumericLiteral);
}
