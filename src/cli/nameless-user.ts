import { userInfo } from 'node:os';

/*
 * A number without an entry in the password database is a user too: `docker run --user 1234`, a random user
 * of a platform, `setpriv --reuid`. Node throws where libraries ask for such a user's shell or home while
 * they are loaded, so this module is imported before them. sfkit itself uses neither.
 */
try {
  userInfo();
} catch {
  process.env.SHELL ??= 'unknown';
  process.env.HOME ??= '/';
}
