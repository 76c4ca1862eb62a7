/** Puts chaos in front of what tells: the bus, and the changes of keys. */

import type { Bus, SubscribeOptions, Subscription } from '../backend/bus.ts';
import type { Changes } from '../backend/values.ts';
import { HotshelfError } from '../support/errors.ts';
import type { Fate, Wire } from './chaos-wire.ts';

export function wrapBus(bus: Bus, wire: Wire): Bus {
  /** Resolves when all that was published before is under way: messages of one publisher keep their order. */
  let before = Promise.resolve();
  return {
    // Commands and messages travel side by side here, each for its own time.
    ordered: false,
    publish(topic, message) {
      const fate = wire.draw();
      before = before.then(() => (fate.requestMs > 0 ? wire.delay(fate.requestMs) : undefined));
      return before.then(() => wire.run(() => bus.publish(topic, message), { ...fate, requestMs: 0 }));
    },
    subscribe: (topic, listener, options) =>
      listen(wire, listener, options, (...heard) => bus.subscribe(topic, ...heard)),
  };
}

export function wrapChanges(changes: Changes, wire: Wire): Changes {
  return {
    watch: (prefix, listener, options) =>
      listen(wire, listener, options, (...heard) => changes.watch(prefix, ...heard)),
  };
}

/** Nothing is heard while the wire is cut, and no probe is answered. */
async function listen<Told>(
  wire: Wire,
  listener: (told: Told) => void,
  options: SubscribeOptions = {},
  open: (listener: (told: Told) => void, options: SubscribeOptions) => Promise<Subscription>,
): Promise<Subscription> {
  if (wire.isCut) throw new HotshelfError('BACKEND_DOWN', 'Chaos: the bus is cut.');
  const unlessCut =
    <Fact>(tell: (fact: Fact) => void) =>
    (fact: Fact) => {
      if (!wire.isCut) tell(fact);
    };
  const { onProbe } = options;
  // A subscription without an answer is none: its caller could not end it.
  const fate: Fate = { ...wire.draw(), applied: false };
  const heard = { ...options, ...(onProbe && { onProbe: unlessCut(onProbe) }) };
  const subscription = await wire.run(() => open(unlessCut(listener), heard), fate);
  const onGap = (state: 'lost' | 'restored') => options.onGap?.(state);
  wire.gapListeners.add(onGap);
  return {
    close: () => {
      wire.gapListeners.delete(onGap);
      return subscription.close();
    },
  };
}
