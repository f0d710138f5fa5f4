import type { Inventory } from '../data/inventory';
import type { Session } from '../data/session';

// What every page gets.
export interface PageProps {
  session: Session;
  inventory: Inventory;
}
