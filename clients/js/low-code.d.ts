export interface LowCodeOptions {
  /** Where authsvc is. */
  url: string;
  /** The tool's store as it is now. In Appsmith: `() => appsmith.store`. */
  store: () => Record<string, any>;
  /** Puts a value into the store. In Appsmith: `storeValue`. */
  storeValue: (name: string, value: unknown) => unknown;
  /** Id or slug of an application in body transport. */
  applicationId?: string;
  /** Id or slug of its tenant. */
  tenant?: string;
}

export interface LowCode {
  /** Stores `access_token` and `refresh_token`; answers the access token. */
  signIn(fields: { identifier?: string; email?: string; username?: string; password: string }): Promise<string>;
  /** An access token that is good, from the store or new; undefined where nobody is signed in. */
  refreshAccessToken(): Promise<string | undefined>;
  signOut(): Promise<void>;
}

export function lowCode(options: LowCodeOptions): LowCode;
