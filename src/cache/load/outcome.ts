/** What a loader may return besides a value. */

/** A value to hand out without storing it. */
export class Skipped<Value> {
  readonly value: Value;

  constructor(value: Value) {
    this.value = value;
  }
}

/** "The origin says that the earlier value is still true." */
export class Unchanged {
  readonly unchanged = true;
}
