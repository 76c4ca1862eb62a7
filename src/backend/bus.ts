/** The facet for messages between processes. */

/**
 * At-most-once messages to everybody who listens now. What may have been missed is always reported as a gap.
 *
 * `publish` rejects as `Values` does.
 */
export interface Bus {
  /**
   * True where a message reaches nobody before the commands on `values` that this process sent earlier were applied, even when
   * their answers have not come yet. Then a change and its announcement may be sent together.
   */
  readonly ordered: boolean;
  /** Resolves with the number of subscriptions that the message was given to. */
  publish(topic: string, message: string): Promise<number>;
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
  /** Probe the connection at least this often, in ms: a question on the very way that messages take. */
  probeEveryMs?: number;
  /**
   * Called when a probe was answered, with how long ago it was sent, in ms: every message whose `publish` had resolved by
   * then has been heard.
   */
  onProbe?: (sentAgoMs: number) => void;
}

export interface Subscription {
  /** No message is delivered after this was called. */
  close(): Promise<void>;
}
