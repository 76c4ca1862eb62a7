/** What a test needs of hotshelf, and what an adapter must pass: `hotshelf/testing`. */

export { busSuite } from './bus-suite.ts';
export { changesSuite, type ChangesSuiteOptions, type Outside } from './changes-suite.ts';
export { chaos, type ChaosBackend, type ChaosOptions } from './chaos.ts';
export type { ChaosRates, ChaosSwitches } from './chaos-wire.ts';
export { countersSuite } from './counters-suite.ts';
export { fakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.ts';
export { limitsSuite, type LimitsSuiteOptions } from './limits-suite.ts';
export { rankingsSuite, type RankingsSuiteOptions } from './rankings-suite.ts';
export type { SessionStoreFixture, SessionStoreLike, SessionStoreSuiteOptions } from './session-store.ts';
export { sessionStoreSuite } from './session-store-suite.ts';
export type { ConformanceCase, Fixture, SuiteOptions } from './suite.ts';
export { uniquesSuite } from './uniques-suite.ts';
export { valuesSuite } from './values-suite.ts';
