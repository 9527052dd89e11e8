/**
 * Every bound of the engine, by name. Connectors name theirs in their own files.
 *
 * @module
 */

/** Rows that one turn of an actor handles before others get theirs. */
export const TURN_ROWS_MAX = 1024;

/** How long a worker runs turns before it looks at messages again. */
export const SLICE_MS_MAX = 4;

/** Rows after which an output batch is handed over without waiting for the end of the slice. */
export const BATCH_ROWS_MAX = 1024;
/** Bytes after which it is. */
export const BATCH_BYTES_MAX = 1 << 20;

/**
 * Rows on their way over one channel (one edge, one pair of workers) that have not been handled yet. One batch may go
 * beyond: a batch is sent as long as anything is left.
 */
export const CHANNEL_ROWS_MAX = 8192;
/** Their bytes. */
export const CHANNEL_BYTES_MAX = 8 << 20;

/** Buffers with fewer bytes are copied to another worker, not moved: moving one takes longer than that. */
export const MOVED_BYTES_MIN = 16 << 10;

/** Batches that a shard actor holds before its reader has to wait. */
export const SHARD_BATCHES_MAX = 2;
/**
 * Of small batches it holds more, until they have so many rows, or the bytes of an output batch: they are decoded as one,
 * and two turns of them make messages to other workers large.
 */
export const SHARD_ROWS_MIN = 2 * TURN_ROWS_MAX;

/** Mailbox Observables kept per key group; beyond that the longest inactive one is dropped. */
export const ACTIVE_MAILBOXES_MAX = 10_000;

/** Dead letters written to the log each second by each worker; all are counted, and go to the job's sink if it has one. */
export const DEAD_LETTERS_LOGGED_PER_SECOND = 20;

/** How long the engine waits for a processing-time timer at once: what the machine's timers can count to. */
export const PROCESSING_WAIT_MS_MAX = 2 ** 31 - 1;

/** How often shards are listed again, for splits and merges (Flink's default). */
export const SHARD_DISCOVERY_MS = 10_000;

/** How often workers report their counters. */
export const REPORT_MS = 1000;
/** Looks at the load are at least so far apart, however often workers report: decisions count looks. */
export const LOAD_LOOK_MS_MIN = 900;

/** Restarts allowed within a window before the job is given up. */
export const RESTARTS_MAX = 10;
/** The window. */
export const RESTART_WINDOW_MS = 10 * 60_000;
/** The wait before the first restart of a window; doubled for each further one. */
export const RESTART_DELAY_MS = 250;
/** The longest wait before a restart. */
export const RESTART_DELAY_MS_MAX = 30_000;

/** How long a worker may take to let go of everything before it is ended. */
export const WORKER_CLOSE_MS_MAX = 5000;

/** How long a worker may take to say that it is there, or to build and open the job, before it counts as dead. */
export const WORKER_REPLY_MS_MAX = 60_000;

/**
 * How long a job that ends, or starts again, waits for a checkpoint that is being written: a store that does not answer
 * must not keep it for ever.
 */
export const CHECKPOINT_WRITE_WAIT_MS_MAX = 30_000;

/**
 * Changed keys that are encoded between two slices of turns while a checkpoint is taken: with small state about half the
 * time of a slice. With fewer, turns get to keys before they are read, and reading one by itself takes longer.
 */
export const SNAPSHOT_KEYS_PER_STEP = 2000;

/** Key groups that move at once: what comes behind the barrier waits for all of them, and checkpoints do for their copies. */
export const MOVED_GROUPS_MAX = 16;

/** Decisions about workers and key groups that the status has. */
export const DECISIONS_KEPT = 100;

/** Keys of moving groups that are copied, or let go of, between two slices of turns. */
export const GROUP_KEYS_PER_STEP = 500;

/** How often workers are asked whether they are there. */
export const HEARTBEAT_MS = 1000;

/** A worker that has said nothing for so long, though it was asked, counts as hung: it is ended, and the job starts again. */
export const WORKER_SILENT_MS_MAX = 10_000;

/** Bytes of a line between a command and a running job. */
export const CONTROL_LINE_BYTES_MAX = 64 << 10;
/** Commands that a job carries out at once; what comes beyond is told to come again. */
export const CONTROL_CONNECTIONS_MAX = 16;
/** How long a command may take to say what it wants. */
export const CONTROL_REQUEST_MS_MAX = 10_000;
/** How long a job may take to say how it is, or to take a connection, before it counts as one that does not answer. */
export const CONTROL_STATUS_MS_MAX = 5000;
/** How long a job that has ended waits for its answers to be read. */
export const CONTROL_CLOSE_MS_MAX = 2000;

/** Bytes of merged state that one checkpoint writes in place of long chains; the next ones do the rest. */
export const COMPACTED_BYTES_MAX = 16 << 20;
