/** Loaded before every suite: a rejection that nobody handles fails the run, as it would hide a defect. */
process.on('unhandledRejection', (reason) => {
  throw reason;
});
