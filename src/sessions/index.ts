/** Sessions for express-session that lose nothing: `hotshelf/sessions`. */

export { commitFirst, type CommitFirstOptions, type Middleware } from './commit-first.ts';
export { SessionError } from './errors.ts';
export type { SessionEvent } from './events.ts';
export { login, logout, type SessionRequest, updateSession } from './login.ts';
export type { Conflict, MergeRule, MergeRules } from './merge.ts';
export type { SessionFields, SessionStoreOptions } from './options.ts';
export type { SessionsOptions } from './preset-options.ts';
export { sessions, type SessionsMiddleware } from './sessions.ts';
export { type ListedSessionData, type OwnedSession, type SessionId, SessionStore } from './store.ts';
