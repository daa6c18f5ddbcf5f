// How long a test waits for one condition before it fails. No test depends on it: a condition that holds ends the wait
// at once. It is long because these tests run beside others, each with a browser, a service and a database.
export const TIMEOUT_MS = 90_000;
