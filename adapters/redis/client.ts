/** Says what we use of ioredis, version 5 and 6 alike, and tells its objects from others. */

import { HotshelfError } from '../../src/support/errors.ts';

/** A reply as it comes from the parser: strings are bytes. */
export type Reply = Uint8Array | number | string | null | Reply[];

/** An ioredis client or Cluster, as far as its type matters to those who hand one in. */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster: boolean;
  disconnect(reconnect?: boolean): void;
  getBuffer(key: string): Promise<Uint8Array | null>;
}

export type Listener = (...args: readonly unknown[]) => void;

export interface Command {
  readonly promise: Promise<Reply>;
  /** What goes to the socket. */
  toWritable: (socket?: object) => string | Uint8Array;
  resolve(reply: unknown): unknown;
  reject(error: Error): void;
}

export type CommandConstructor = new (name: string, args: readonly CommandArgument[]) => Command;
export type CommandArgument = string | number | Uint8Array;

/** The double-ended queue of commands that wait for their replies. */
export interface CommandQueue {
  readonly length: number;
  peekAt(index: number): { readonly command: Command } | undefined;
  removeOne(index: number): unknown;
  shift(): { readonly command: Command; readonly select: number } | undefined;
}

export interface Stream {
  readonly writable: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  readonly connecting?: boolean;
  readonly bytesRead?: number;
  cork(): void;
  uncork(): void;
  destroy(): unknown;
  resetAndDestroy?(): unknown;
}

interface Emitting {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
}

/** One connection to one server: an ioredis `Redis`. */
export interface Connection extends Emitting {
  readonly status: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly stream?: Stream;
  readonly commandQueue: CommandQueue;
  readonly prevCommandQueue?: CommandQueue | null;
  readonly connector?: {
    readonly failoverDetector?: { readonly sentinels: readonly { readonly client: Emitting }[] } | null;
  };
  sendCommand(command: Command): Promise<Reply>;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  duplicate(overrides: Readonly<Record<string, unknown>>): Connection;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  pipeline(): { ping(): { readonly _queue: readonly Command[] } };
}

/** An ioredis `Cluster`. */
export interface ClusterClient extends Emitting {
  readonly status: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** For each slot the `host:port` of its master, then of its replicas. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role?: 'all' | 'master' | 'slave'): Connection[];
  refreshSlotsCache(callback?: (error?: unknown) => void): void;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
}

export function isCluster(client: object): client is ClusterClient {
  return (
    Reflect.get(client, 'isCluster') === true &&
    hasMethods(client, ['on', 'off', 'nodes', 'refreshSlotsCache', 'connect'])
  );
}

export function isConnection(client: object): client is Connection {
  return (
    Reflect.get(client, 'isCluster') !== true &&
    hasMethods(client, ['on', 'off', 'sendCommand', 'connect', 'duplicate', 'subscribe', 'pipeline'])
  );
}

function hasMethods(client: object, names: readonly string[]): boolean {
  return names.every((name) => typeof Reflect.get(client, name) === 'function');
}

/**
 * Returns the class of the commands of this client: of its own copy of ioredis, which need not be ours.
 *
 * With commands of our own making nothing comes between them and the socket: no prefixes, no automatic pipelines, no
 * conversion of replies to strings.
 */
export function commandClass(client: Connection): CommandConstructor {
  // Not to be had from the client itself, but from a pipeline that is never sent.
  const [command] = client.pipeline().ping()._queue;
  const found: unknown = command?.constructor;
  if (typeof found === 'function') return found as CommandConstructor;
  throw new HotshelfError('CLIENT_MISSING', 'This version of ioredis is not usable: install ioredis 5.11 or 6.');
}

/** True while a command that is given to the client goes to the socket at once, and into no queue. */
export function isWritable(client: Connection): boolean {
  const { stream } = client;
  // `writable` is false from `end()` or `destroy()` on.
  return client.status === 'ready' && stream !== undefined && stream.writable;
}

/**
 * Destroys the socket. Bytes that the network has not taken yet are dropped, where the system allows it: a command that
 * was reported as failed must not arrive when a broken line heals.
 */
export function sever(client: Connection): void {
  const { stream } = client;
  if (stream === undefined || stream.destroyed) return;
  try {
    // A socket that is being shut down cannot be reset any more: it would stay open for ever.
    if (stream.resetAndDestroy === undefined || stream.writableEnded || stream.connecting) stream.destroy();
    else stream.resetAndDestroy();
  } catch {
    // A TLS socket has no reset.
    stream.destroy();
  }
}

/** Changes whenever an attempt to connect gets ahead: also when a Sentinel has said where to go. */
export function progressOf({ stream }: Connection): string {
  return stream === undefined || stream.destroyed ? '' : `${stream.connecting} ${stream.bytesRead}`;
}

/** ioredis prints on the console that a Sentinel is gone which it only watches for failovers. */
export function muteSentinels(client: Connection): void {
  const watched = client.connector?.failoverDetector?.sentinels ?? [];
  for (const sentinel of watched) sentinel.client.on('error', () => {});
}

/** Ends a connection of ours for good, without waiting for the server to agree. */
export function end(client: Connection): void {
  client.disconnect();
  client.stream?.destroy();
}

/** Where a connection leads, for messages: never with credentials. */
export function serverName(options: Readonly<Record<string, unknown>>): string {
  const { path, host, port, sentinels, name } = options;
  if (Array.isArray(sentinels) && sentinels.length > 0) return `the Sentinel group "${String(name)}"`;
  if (typeof path === 'string') return path;
  const shown = typeof host === 'string' ? host : 'localhost';
  return `${shown.includes(':') ? `[${shown}]` : shown}:${typeof port === 'number' ? port : 6379}`;
}

/** What the options of a client put before every key. */
export function keyPrefixOf(options: Readonly<Record<string, unknown>>): string {
  const { keyPrefix } = options;
  return Buffer.isBuffer(keyPrefix) ? keyPrefix.toString() : typeof keyPrefix === 'string' ? keyPrefix : '';
}
