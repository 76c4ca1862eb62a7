/** Writes and reads the one value that keeps all boards of a group. */

import { crc32 } from 'node:zlib';
import { Board, type BoardKind, columnsFor } from './board.ts';
import { Names } from './names.ts';

/**
 * Format 1, little endian:
 *
 * | offset | bytes | content |
 * | --- | --- | --- |
 * | 0 | 2 | magic `9B 52` |
 * | 2 | 1 | format, 1 |
 * | 3 | 1 | bytes of a member's number: 2, or 4 where there are more than 65,536 members |
 * | 4 | 4 | CRC32 of everything after it, begun with the two bytes before it |
 * | 8 | 8 | the last `reached` that was given (double) |
 * | 16 | 4 | how many members there are |
 * | 20 | 4 | bytes of all their texts |
 * | 24 | 2 | how many boards |
 * | 26 | 1 each | length of each member in bytes, less one |
 * | | | their texts in UTF-8, in the order of their bytes |
 *
 * And each board:
 *
 * | bytes | content |
 * | --- | --- |
 * | 1 | length of its name: what its key has behind the closing brace |
 * | 1 | bit 0: order `asc`; bits 1 and 2: ties `competition`, `dense` or `earliest` |
 * | 8 | half-life in ms (double); 0 for scores that do not decay |
 * | 8 | when it goes, epoch ms (double), or infinity |
 * | 4 | how many members it has |
 * | | its name |
 * | | the number of each member, the best first |
 * | 8 each | their scores (double) |
 * | 8 each | with ties `earliest`: when they reached them (double) |
 */
const magic = 0x529b;
const formatNow = 1;
const headerBytes = 26;
const boardHeaderBytes = 22;

/** All boards of a group. Nobody changes it: who wants to, makes a `Draft` of it. */
export interface Group {
  readonly names: Names;
  /** By what their keys have behind the closing brace. */
  readonly boards: ReadonlyMap<string, Board>;
  /** The last `reached` that was given; 0 if none was. */
  readonly reached: number;
}

export const emptyGroup: Group = {
  names: new Names(Buffer.alloc(0), new Uint32Array(1)),
  boards: new Map(),
  reached: 0,
};

const ties: readonly BoardKind['ties'][] = ['competition', 'dense', 'earliest'];

/** How many bytes `encode` makes of a group. */
export function sizeOf(group: Group): number {
  const used = usedNames(group);
  let [members, textBytes] = [0, 0];
  for (let number = 0; number < used.length; number += 1) {
    if (used[number] !== 1) continue;
    members += 1;
    textBytes += group.names.bytesOf(number);
  }
  return sizeWith(group, members, textBytes);
}

export function encode(group: Group): Buffer {
  const { names, numbers } = group.names.packed(usedNames(group));
  const width = widthFor(names.size);
  const bytes = Buffer.allocUnsafe(sizeWith(group, names.size, names.texts.length));
  const view = viewOf(bytes);
  view.setUint16(0, magic, true);
  bytes[2] = formatNow;
  bytes[3] = width;
  view.setFloat64(8, group.reached, true);
  view.setUint32(16, names.size, true);
  view.setUint32(20, names.texts.length, true);
  view.setUint16(24, group.boards.size, true);
  let at = headerBytes;
  for (let number = 0; number < names.size; number += 1) bytes[at++] = names.bytesOf(number) - 1;
  at += names.texts.copy(bytes, at);
  for (const [name, board] of group.boards) at = writeBoard(bytes, view, at, name, board, numbers, width);
  view.setUint32(4, checksum(bytes), true);
  return bytes;
}

/** Returns the group that stands in `stored`; `undefined` if that is damaged, or of another kind or a later format. Never throws. */
export function decode(stored: Uint8Array): Group | undefined {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (bytes.length < headerBytes || bytes.readUInt16LE(0) !== magic || bytes[2] !== formatNow) return undefined;
  if (checksum(bytes) !== bytes.readUInt32LE(4)) return undefined;
  return new Reader(bytes).group();
}

function sizeWith(group: Group, members: number, textBytes: number): number {
  let size = headerBytes + members + textBytes;
  for (const [name, board] of group.boards)
    size += boardHeaderBytes + name.length + board.size * rowBytes(board.kind, widthFor(members));
  return size;
}

function usedNames({ names, boards }: Group): Uint8Array {
  const used = new Uint8Array(names.size);
  for (const board of boards.values()) board.markUsed(used);
  return used;
}

function widthFor(members: number): 2 | 4 {
  return members > 0x10000 ? 4 : 2;
}

function rowBytes({ ties }: BoardKind, width: number): number {
  return width + (ties === 'earliest' ? 16 : 8);
}

function writeBoard(
  bytes: Buffer,
  view: DataView,
  start: number,
  name: string,
  { kind, expiresAt, size, columns }: Board,
  numbers: Uint32Array,
  width: 2 | 4,
): number {
  bytes[start] = name.length;
  bytes[start + 1] = (kind.order === 'asc' ? 1 : 0) | (ties.indexOf(kind.ties) << 1);
  view.setFloat64(start + 2, kind.halfLifeMs, true);
  view.setFloat64(start + 10, expiresAt, true);
  view.setUint32(start + 18, size, true);
  bytes.write(name, start + boardHeaderBytes, 'latin1');
  let at = start + boardHeaderBytes + name.length;
  for (let place = 0; place < size; place += 1, at += width) {
    const number = numbers[columns.numbers[place] ?? 0] ?? 0;
    if (width === 2) view.setUint16(at, number, true);
    else view.setUint32(at, number, true);
  }
  for (const column of [columns.scores, columns.reached])
    for (let place = 0, end = Math.min(size, column.length); place < end; place += 1, at += 8)
      view.setFloat64(at, column[place] ?? 0, true);
  return at;
}

/** Reads from the front to the end, and trusts no count. */
class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = headerBytes;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  group(): Group | undefined {
    const view = this.#view;
    const width = this.#bytes[3];
    const names = this.#names(view.getUint32(16, true), view.getUint32(20, true));
    if (names === undefined || (width !== 2 && width !== 4)) return undefined;
    const boards = new Map<string, Board>();
    for (let left = view.getUint16(24, true); left > 0; left -= 1) {
      const found = this.#board(names, width);
      if (found === undefined) return undefined;
      boards.set(found.name, found.board);
    }
    return this.#at === this.#bytes.length ? { names, boards, reached: view.getFloat64(8, true) } : undefined;
  }

  #names(count: number, textBytes: number): Names | undefined {
    if (this.#left < count + textBytes) return undefined;
    const starts = new Uint32Array(count + 1);
    let end = 0;
    for (let number = 0; number < count; number += 1) starts[number + 1] = end += (this.#bytes[this.#at++] ?? 0) + 1;
    if (end !== textBytes) return undefined;
    const texts = this.#bytes.subarray(this.#at, (this.#at += textBytes));
    return new Names(texts, starts);
  }

  #board(names: Names, width: 2 | 4): { name: string; board: Board } | undefined {
    const [bytes, view, start] = [this.#bytes, this.#view, this.#at];
    if (this.#left < boardHeaderBytes) return undefined;
    const nameBytes = bytes[start] ?? 0;
    const flags = bytes[start + 1] ?? 0;
    const tie = ties[flags >>> 1];
    if (tie === undefined) return undefined;
    const kind = {
      order: flags & 1 ? 'asc' : 'desc',
      ties: tie,
      halfLifeMs: view.getFloat64(start + 2, true),
    } as const;
    const expiresAt = view.getFloat64(start + 10, true);
    const size = view.getUint32(start + 18, true);
    if (this.#left < boardHeaderBytes + nameBytes + size * rowBytes(kind, width)) return undefined;
    this.#at += boardHeaderBytes + nameBytes;
    const name = bytes.toString('latin1', this.#at - nameBytes, this.#at);
    const columns = columnsFor(kind, size);
    if (!this.#readNumbers(columns.numbers, width, names.size)) return undefined;
    this.#readDoubles(columns.scores);
    this.#readDoubles(columns.reached);
    return { name, board: new Board(kind, expiresAt, names, columns, size) };
  }

  /** Returns false if there is one that is no number of a member. */
  #readNumbers(column: Uint32Array, width: 2 | 4, below: number): boolean {
    const view = this.#view;
    for (let place = 0; place < column.length; place += 1, this.#at += width) {
      const number = width === 2 ? view.getUint16(this.#at, true) : view.getUint32(this.#at, true);
      if (number >= below) return false;
      column[place] = number;
    }
    return true;
  }

  #readDoubles(column: Float64Array): void {
    for (let place = 0; place < column.length; place += 1, this.#at += 8)
      column[place] = this.#view.getFloat64(this.#at, true);
  }

  get #left(): number {
    return this.#bytes.length - this.#at;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What says how the rest is to be read must not change either. */
function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(8), bytes.readUInt16LE(2));
}
