// Line icons on a grid of 20 by 20. They only accompany words: screen readers skip them.
const kPaths = {
  overview: 'M3 10.500 10 4l7 6.500M5 9v7h10V9',
  instances: 'M3 4.500h14v5H3zM3 11h14v5H3zM6 7h.01M6 13.500h.01',
  launch: 'M10 4v12M4 10h12',
  keys: 'M12.500 11a3.500 3.500 0 1 0-3.300-2.300L3 15v2h2.500v-2H8v-2.200l1.500-1.500',
  groups: 'M10 2.500 4 5v4.500c0 4 2.500 6.500 6 8 3.500-1.500 6-4 6-8V5z',
  hosts: 'M4 3h12v14H4zM7 6.500h6M7 10h6M10 13.500h.01',
  volumes: 'M4 5.500c0-3.300 12-3.300 12 0v9c0 3.300-12 3.300-12 0zM4 5.500c0 3.300 12 3.300 12 0M4 10c0 3.300 12 3.300 12 0',
  snapshots: 'M3 6h3.500L8 4h4l1.500 2H17v10H3zM10 13.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400z',
  tasks: 'M4 5l1.200 1.200L7.500 4M10 5.500h6M4 10l1.200 1.200L7.500 9M10 10.500h6M4 15l1.200 1.200L7.500 14M10 15.500h6',
  start: 'M6 4l10 6-10 6z',
  stop: 'M5 5h10v10H5z',
  reboot: 'M16 10a6 6 0 1 1-2-4.500M14.500 2.500v3.200h-3.200',
  migrate: 'M3 7h12l-3-3M17 13H5l3 3',
  terminate: 'M4 6h12M8 6V4h4v2M5.500 6l.7 10.500h7.600L14.500 6M8.500 9v5M11.500 9v5',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  close: 'M5 5l10 10M15 5 5 15',
  check: 'M4 10.500 8 14.500 16 6',
  warning: 'M10 3 2.500 16.500h15zM10 8v4M10 14.300h.01',
  leave: 'M12 4H4v12h8M9 10h8M14 7l3 3-3 3',
  search: 'M9 14A5 5 0 1 0 9 4a5 5 0 0 0 0 10zM13 13l4 4',
} as const;

export type IconName = keyof typeof kPaths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  );
}
