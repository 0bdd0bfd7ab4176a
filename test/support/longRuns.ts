/**
 * Whether long runs are wished for, as by `npm run test:all`: hundreds of random faults, files of
 * many gigabytes, tens of thousands of connections. What they assert is asserted by `npm test` too,
 * in a smaller form or with gates.
 */
export const isLongRun = process.env['PEERSHELF_TEST_LONG'] === '1';
