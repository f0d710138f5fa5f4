// Where in the console we are.
import { hrefOf, parseRoute, type Route } from './address';
import { Observable } from './observable';

export const route = new Observable<Route>(parseRoute(location.hash));
window.addEventListener('hashchange', () => route.set(parseRoute(location.hash)));

export function go(parts: string[], query: Record<string, string> = {}): void {
  location.hash = hrefOf(parts, query);
}

// In place of the present one: the back button does not come to it.
export function replaceRoute(parts: string[], query: Record<string, string> = {}): void {
  history.replaceState(null, '', hrefOf(parts, query));
  route.set(parseRoute(location.hash));
}
