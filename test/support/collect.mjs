// Preloaded with `node --expose-gc --import` into a program whose memory a test compares: an idle program
// collects its garbage late, and the later the busier the machine is. What is still held stays.
setInterval(() => globalThis.gc(), 1_000).unref();
