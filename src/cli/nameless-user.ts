import { userInfo } from 'node:os';

/*
 * A user can have no entry in the password database: `docker run --user 1234`, a random user of a platform,
 * `setpriv --reuid`. Node.js throws when libraries ask for such a user's shell or home during loading, so this module is
 * imported first. sfkit itself uses neither.
 */
try {
  userInfo();
} catch {
  process.env.SHELL ??= 'unknown';
  process.env.HOME ??= '/';
}
