/** Puts another bus into a backend: one that hears on a way of its own, or one that lies about what it heard. */
import type { BackendWith, Bus } from 'hotshelf';

type Whole = BackendWith<'values' | 'bus'>;

/** Returns `backend` with a bus that publishes as before and hears as `ears` does. */
export function withEars(backend: BackendWith<'values'>, ears: BackendWith<'values'>): Whole {
  const [mouth, ear] = [busOf(backend), busOf(ears)];
  return withBus(backend, {
    ordered: mouth.ordered,
    publish: (topic, message) => mouth.publish(topic, message),
    subscribe: (...input) => ear.subscribe(...input),
  });
}

/** Returns `backend` with a bus that hides its gaps and says of every probe that it was answered. */
export function credulous(backend: BackendWith<'values'>): Whole {
  return lying(backend, (hear) => hear);
}

/** As `credulous`, and nothing is heard at all. */
export function deaf(backend: BackendWith<'values'>): Whole {
  return lying(backend, () => () => {});
}

type Hear = (message: string) => void;

function lying(backend: BackendWith<'values'>, ear: (hear: Hear) => Hear): Whole {
  const bus = busOf(backend);
  return withBus(backend, {
    ordered: bus.ordered,
    publish: (topic, message) => bus.publish(topic, message),
    async subscribe(topic, hear, options) {
      const subscription = await bus.subscribe(topic, ear(hear));
      const timer = setInterval(() => options?.onProbe?.(0), 50);
      return {
        close() {
          clearInterval(timer);
          return subscription.close();
        },
      };
    },
  });
}

function busOf({ bus, name }: BackendWith<'values'>): Bus {
  if (bus === undefined) throw new Error(`${name} has no bus`);
  return bus;
}

function withBus(backend: BackendWith<'values'>, bus: Bus): Whole {
  return {
    name: backend.name,
    values: backend.values,
    bus,
    health: () => backend.health(),
    watch: (listener) => backend.watch(listener),
    close: () => backend.close(),
  };
}
