/**
 * Message ports as the engine's ports: between two workers, and between a Web Worker and its host.
 *
 * @module
 */

import type { Port } from "../worker/protocol.ts";

/** What browsers, Deno and Node agree on of a message port. */
export interface MessageTarget {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close?(): void;
}

/** A port over a message port. What comes in is what the other end's types say. */
export function portOver<Out, In>(target: MessageTarget): Port<Out, In> {
  return {
    post: (message, transfer = []) => target.postMessage(message, transfer),
    onMessage(listener) {
      target.onmessage = (event) => listener(event.data);
    },
    close: () => target.close?.(),
  };
}
