// Access key and secret, typed or out of a link of `pileus web` (behind the '#', which browsers do not send).
import { useEffect, useState } from 'preact/hooks';
import { useValue } from '../data/observable';
import { replaceRoute, route } from '../data/route';
import { ended, signIn } from '../data/session';
import { Button, Field } from '../ui/parts';

export function SignInPage() {
  const { parts, query } = useValue(route);
  const why = useValue(ended);
  const [accessKey, setAccessKey] = useState('');
  const [secretKey, setSecretKey] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);

  const enter = async (credentials: { accessKey: string; secretKey: string }) => {
    setBusy(true);
    setProblem('');
    try {
      await signIn(credentials);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  useEffect(() => {
    const [key, secret] = [query.get('key'), query.get('secret')];
    if (parts[0] !== 'sign-in' || !key || !secret) return;
    replaceRoute(['overview']); // out of the address and the history
    void enter({ accessKey: key, secretKey: secret });
  }, []);

  const submit = (event: Event) => {
    event.preventDefault();
    void enter({ accessKey: accessKey.trim(), secretKey: secretKey.trim() });
  };
  if (!window.isSecureContext) {
    return (
      <main class="sign-in">
        <h1>Pileus</h1>
        <p role="alert">
          Browsers sign requests only on pages that came over https:// or from this machine. Open the console at
          http://127.0.0.1 there, or through an SSH tunnel.
        </p>
      </main>
    );
  }
  return (
    <main class="sign-in">
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <img src="./icon.svg" alt="" width="44" height="44" />
        <h1 id="sign-in-title">Sign in to Pileus</h1>
        {(problem || why) && (
          <p class="problem" role="alert">
            {problem || why}
          </p>
        )}
        <Field id="access-key" label="Access key">
          <input id="access-key" name="username" autocomplete="username" spellcheck={false} autoFocus required
            value={accessKey} onInput={(event) => setAccessKey(event.currentTarget.value)} />
        </Field>
        <Field id="secret-key" label="Secret access key"
          hint="Kept in this tab only, until it is closed. `pileus web` prints a link that signs in.">
          <input id="secret-key" name="password" type="password" autocomplete="current-password" required
            aria-describedby="secret-key-hint" value={secretKey}
            onInput={(event) => setSecretKey(event.currentTarget.value)} />
        </Field>
        <Button type="submit" kind="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}
