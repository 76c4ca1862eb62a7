/** The facet for messages between processes. */

/**
 * At-most-once messages to everybody who listens now. What may have been missed is always reported as a gap.
 *
 * `publish` rejects as `Values` does.
 */
export interface Bus {
  publish(topic: string, message: string): Promise<void>;
  /**
   * Resolves once messages published from now on will be heard, or rejects with `BACKEND_DOWN` after a second. Messages of one
   * publisher come in their order.
   */
  subscribe(topic: string, listener: (message: string) => void, options?: SubscribeOptions): Promise<Subscription>;
}

export interface SubscribeOptions {
  /**
   * Called when messages may have been missed: with `'lost'` as soon as the connection is known to be gone, and with
   * `'restored'` when messages are heard again. Whoever keeps copies drops them at both.
   */
  onGap?: (state: 'lost' | 'restored') => void;
}

export interface Subscription {
  /** No message is delivered after this was called. */
  close(): Promise<void>;
}
