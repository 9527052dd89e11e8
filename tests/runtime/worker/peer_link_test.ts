import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MOVED_BYTES_MIN } from "../../../runtime/limits.ts";
import { PeerLink } from "../../../runtime/worker/peer_link.ts";
import type { PeerMessage } from "../../../runtime/worker/protocol.ts";

/** A link with what is posted over it: how many messages, and the sizes of what is moved. */
function link() {
  const posted: { readonly messages: readonly PeerMessage[]; readonly moved: number[] }[] = [];
  let hear: (messages: readonly PeerMessage[]) => void = () => {};
  const peer = new PeerLink({
    post: (messages, transfer = []) => {
      const moved = transfer.map((one) => one instanceof ArrayBuffer ? one.byteLength : -1);
      posted.push({ messages, moved });
    },
    onMessage: (listener) => hear = listener,
    close() {},
  });
  return { peer, posted, hear: (...messages: PeerMessage[]) => hear(messages) };
}

const settle = (id: number): PeerMessage => ({ type: "settle", id });

describe("PeerLink", () => {
  it("sends what was put together, in order, before what is posted", () => {
    const { peer, posted } = link();
    peer.flush();
    peer.put(settle(1));
    peer.put(settle(2));
    assertEquals(posted, []);
    peer.post(settle(3));
    peer.put(settle(4));
    peer.flush();
    peer.flush();
    assertEquals(posted.map(({ messages }) => messages), [
      [settle(1), settle(2), settle(3)],
      [settle(4)],
    ]);
  });

  it("moves large buffers and has small ones copied", () => {
    const { peer, posted } = link();
    peer.put(settle(1), [new ArrayBuffer(MOVED_BYTES_MIN), new ArrayBuffer(8)]);
    peer.post(settle(2), [new ArrayBuffer(MOVED_BYTES_MIN - 1), new ArrayBuffer(1 << 20)]);
    peer.post(settle(3));
    assertEquals(posted.map(({ moved }) => moved), [[MOVED_BYTES_MIN, 1 << 20], []]);
  });

  it("hands each message on that comes", () => {
    const { peer, hear } = link();
    const heard: PeerMessage[] = [];
    peer.onMessage((message) => heard.push(message));
    hear(settle(1), settle(2));
    hear(settle(3));
    assertEquals(heard, [settle(1), settle(2), settle(3)]);
  });
});
