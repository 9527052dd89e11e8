/**
 * A worker's connection to another one. A message between threads costs as much as handling dozens of rows, whatever it
 * holds: so what may wait goes with the next flush, all in one, and in order.
 *
 * @module
 */

import { MOVED_BYTES_MIN } from "../limits.ts";
import type { Link, PeerMessage } from "./protocol.ts";

/** The connection to one other worker. */
export class PeerLink {
  readonly #link: Link;
  #messages: PeerMessage[] = [];
  #transfer: ArrayBuffer[] = [];

  constructor(link: Link) {
    this.#link = link;
  }

  /** Called for each message of the other worker; set once. */
  onMessage(listener: (message: PeerMessage) => void): void {
    this.#link.onMessage((messages) => messages.forEach(listener));
  }

  /**
   * Puts a message behind those that wait: until {@linkcode flush}, or until one that may not wait is {@linkcode post}ed.
   *
   * @param movable buffers of the message that are not needed here any more
   */
  put(message: PeerMessage, movable: readonly ArrayBuffer[] = []): void {
    this.#messages.push(message);
    for (const buffer of movable) {
      if (buffer.byteLength >= MOVED_BYTES_MIN) this.#transfer.push(buffer);
    }
  }

  /** Sends a message now, behind those that wait. */
  post(message: PeerMessage, movable: readonly ArrayBuffer[] = []): void {
    this.put(message, movable);
    this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#messages.length === 0) return;
    const [messages, transfer] = [this.#messages, this.#transfer];
    this.#messages = [];
    this.#transfer = [];
    this.#link.post(messages, transfer);
  }

  close(): void {
    this.#link.close();
  }
}
