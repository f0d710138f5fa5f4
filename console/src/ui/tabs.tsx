// Tabs after the ARIA Authoring Practices: arrow keys move between them, the page's address says which is open.
import type { ComponentChildren } from 'preact';

export interface Tab {
  id: string;
  label: string;
}

interface TabsProps {
  label: string;
  tabs: Tab[];
  open: string;
  onOpen: (id: string) => void;
  children: ComponentChildren;
}

export function Tabs({ label, tabs, open, onOpen, children }: TabsProps) {
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.id === open);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    onOpen(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button key={tab.id} type="button" role="tab" id={`tab-${tab.id}`} aria-selected={tab.id === open}
            aria-controls="tab-panel" tabIndex={tab.id === open ? 0 : -1} onClick={() => onOpen(tab.id)}>
            {tab.label}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${open}`} tabIndex={0}>
        {children}
      </div>
    </>
  );
}
