// A table with a line of titles; on a phone each cell says its own, from data-label.
import type { ComponentChildren } from 'preact';

export function Table({ label, titles, children }: { label: string; titles: string[]; children: ComponentChildren }) {
  return (
    <div class="card table">
      <table aria-label={label}>
        <thead>
          <tr>
            {titles.map((title) => (
              <th key={title} scope="col">{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
