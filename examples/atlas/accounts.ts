/** Who may log in: every SQL statement about users. */

import { randomUUID } from 'node:crypto';
import type { Database } from './database/database.ts';
import { hashPassword, isPassword, nobodysHash, type PasswordCost } from './password.ts';

export interface User {
  readonly id: string;
  readonly name: string;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

export class Accounts {
  readonly #database: Database;
  readonly #cost: PasswordCost | undefined;

  constructor(database: Database, cost?: PasswordCost) {
    this.#database = database;
    this.#cost = cost;
  }

  /** Returns the new user, or `undefined` if somebody has the name. */
  async create({ name, password }: Credentials): Promise<User | undefined> {
    const user = { id: randomUUID(), name };
    const sql = `
      insert into atlas_user (id, name, password) values ($1, $2, $3)
      on conflict (name) do nothing returning id`;
    const made = await this.#database.query(sql, [user.id, name, await hashPassword(password, this.#cost)]);
    return made.length === 0 ? undefined : user;
  }

  /** Returns the user, or `undefined` if the name or the password is wrong; which of them takes as long. */
  async find({ name, password }: Credentials): Promise<User | undefined> {
    const sql = 'select id, password from atlas_user where name = $1';
    const [user] = await this.#database.query<{ id: string; password: string }>(sql, [name]);
    const isRight = await isPassword(password, user?.password ?? nobodysHash(this.#cost));
    return user !== undefined && isRight ? { id: user.id, name } : undefined;
  }
}
