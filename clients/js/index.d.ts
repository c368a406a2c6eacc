/** Who uses this page. A new object whenever it changes, so it can be compared by identity. */
export interface State {
  /** undefined until `start` or the first request has asked. */
  readonly signedIn: boolean | undefined;
  /** null also where somebody is signed in and `start` has not asked who. */
  readonly user: User | null;
}

export interface User {
  id: string;
  email: string;
  username: string | null;
  name: string | null;
  roles: string[];
  active: boolean;
  confirmed: boolean;
  createdAt: string;
}

/** What the client needs of a Storage. */
export type Store = Pick<Storage, "getItem" | "setItem">;

export interface Options {
  /** Where authsvc is; without it, where this page came from. */
  url?: string;
  /** How the application's refresh tokens travel. "cookie" without it. */
  transport?: "cookie" | "body";
  /** Id or slug of the application to sign in to. */
  applicationId?: string;
  /** Id or slug of its tenant. */
  tenant?: string;
  /** Other origins that may see the access token. authsvc and the page's own origin always may. */
  apis?: string[];
  /** localStorage without it. */
  store?: Store;
}

export interface Registration {
  email: string;
  password: string;
  username?: string;
  name?: string;
}

/** One of `identifier`, `email` and `username`. */
export interface Credentials {
  identifier?: string;
  email?: string;
  username?: string;
  password: string;
  deviceName?: string;
}

export interface Client {
  /** What is known now, without asking. */
  readonly state: State;
  /** Call this at every change; answers the function that ends it. */
  subscribe(listener: (state: State) => void): () => void;
  /** Find out who is signed in, by a refresh where needed. */
  start(): Promise<User | null>;
  register(fields: Registration): Promise<User>;
  login(fields: Credentials): Promise<User>;
  /** Rejects if authsvc could not be told: then the sign-in goes on. */
  logout(options?: { everywhere?: boolean }): Promise<void>;
  /** fetch, with an access token that is good. Rejects with an AuthError where a needed refresh got no answer. */
  fetch: typeof fetch;
  /** An access token that is good for a while; undefined where nobody is signed in. */
  accessToken(): Promise<string | undefined>;
  /** Stop listening to the other tabs. */
  close(): void;
}

export function createClient(options?: Options): Client;

/** For what must not outlive the page. */
export function memoryStore(): Store;

/** What authsvc, or something on the way to it, said instead of yes. */
export class AuthError extends Error {
  /** 0 where no answer came. */
  readonly status: number;
  /** One of docs/errors.md; "unreachable" or "unexpected_answer" where authsvc itself said nothing. */
  readonly code: string;
  readonly fields?: Record<string, string[]>;
  readonly requestId?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}
