/** What a test needs of hotshelf, and what an adapter must pass: `hotshelf/testing`. */

export { fakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.ts';
