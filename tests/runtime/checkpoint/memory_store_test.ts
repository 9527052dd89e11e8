import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("memoryStore()", () => Promise.resolve({ store: memoryStore() }));
