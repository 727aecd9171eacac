import { Page, type Shell } from "../view/layout.tsx";
import { Mark } from "../view/icons.tsx";
import { FormToken } from "../view/parts.tsx";

interface LoginProps {
  readonly shell: Shell;
  readonly formToken: string;
  /** Path of the console to open after the login. */
  readonly next: string;
  /** Why the last attempt failed. */
  readonly problem: string | null;
  /** Whether people can sign in at the configured issuer. */
  readonly hasOidc: boolean;
}

export function LoginPage({ shell, formToken, next, problem, hasOidc }: LoginProps) {
  return (
    <Page shell={shell} title="Sign in">
      <div class="login">
        <p class="brand">
          <Mark />
          <span>toolgate</span>
        </p>
        <h1>Sign in</h1>
        {problem === null ? null : <p class="notice tone-bad" role="alert">{problem}</p>}
        {hasOidc
          ? (
            <>
              <p>
                <a
                  class="button primary wide"
                  href={`/console/login/start?${new URLSearchParams({ next })}`}
                >
                  Continue with single sign-on
                </a>
              </p>
              <p class="or">or</p>
            </>
          )
          : null}
        <form method="post" action="/console/login">
          <FormToken token={formToken} />
          <input type="hidden" name="next" value={next} />
          <label for="key">API key</label>
          <input
            id="key"
            name="key"
            type="password"
            autocomplete="off"
            required
            maxlength={8192}
            aria-describedby="key-help"
            autofocus={!hasOidc}
          />
          <p class="help" id="key-help">
            An administrator makes one with{" "}
            <code>toolgate keys create --name you --scopes search,audit</code>
          </p>
          <button type="submit" class={hasOidc ? "wide" : "primary wide"}>Sign in</button>
        </form>
      </div>
    </Page>
  );
}

/**
 * Forwards to `next`. The new session cookie is strict, so browsers send it only with a navigation
 * that this site starts, not with the one that came from the issuer.
 */
export function SignedInPage({ shell, next }: { shell: Shell; next: string }) {
  return (
    <html lang="en" data-theme={shell.theme}>
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="refresh" content={`0; url=${next}`} />
        <title>Signed in · toolgate</title>
      </head>
      <body>
        <main>
          <h1>Signed in</h1>
          <p>
            <a href={next}>Continue</a>
          </p>
        </main>
      </body>
    </html>
  );
}
