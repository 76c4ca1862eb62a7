/** Lets those who do not wait for a promise be those who do not care how it ends. */

/**
 * Returns `promise`, which ends no process if it fails while nobody waits for it. Who waits for it learns of the failure.
 *
 * Counting goes on beside what a request is about: `void visits.add()` is no reason to go down with the backend.
 */
export function heedless<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
