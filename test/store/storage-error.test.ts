// What a caller is told when the disk fails: definite only where it is certain that nothing happened.

import { expect, it } from 'vitest';
import type { HubError } from '../../src/hub/errors.ts';
import { toCommitError, toReadError, toStorageError } from '../../src/store/storage-error.ts';

const driver = (code: string) => Object.assign(new Error('driver'), { code });
const told = (error: unknown) => (error as HubError).toAnswer();

it('says that the outcome is unknown when COMMIT itself met a failing disk, and what to do', () => {
  for (const code of ['SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT'])
    expect(told(toCommitError(driver(code)))).toMatchObject({ code: 'unavailable', outcome: 'unknown', retryable: true });
  expect(told(toCommitError(driver('SQLITE_IOERR_FSYNC'))).hint).toContain('same idempotency_key');
});

it('is definite about a full disk, a held lock, and whatever failed before the commit', () => {
  for (const code of ['SQLITE_FULL', 'SQLITE_BUSY']) expect(told(toCommitError(driver(code)))).not.toHaveProperty('outcome');
  for (const code of ['SQLITE_IOERR_READ', 'SQLITE_CORRUPT']) expect(told(toStorageError(driver(code)))).not.toHaveProperty('outcome');
});

it('never claims that nothing was changed when a look failed, because the call may have written before', () => {
  const answer = told(toReadError(driver('SQLITE_IOERR_READ')));
  expect(answer).toMatchObject({ code: 'unavailable', outcome: 'unknown' });
  expect(answer.message).not.toContain('nothing was changed');
});

it('leaves a defect as it is', () => {
  const defect = new TypeError('x is not a function');
  expect([toCommitError(defect), toReadError(defect), toStorageError(defect)]).toEqual([defect, defect, defect]);
});
