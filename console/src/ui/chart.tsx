// A chart of one or two lines over time, in SVG. Screen readers get its figures as a sentence.
import { useState } from 'preact/hooks';
import { clock, clockWithSeconds } from './format';

export interface Line {
  name: string;
  values: number[];
}
interface ChartProps {
  title: string;
  times: number[]; // Unix time, ms; as many as each line has values
  lines: Line[];
  // The top of the scale; without one, a power of two above what there is, and not below `least`.
  top?: number;
  least?: number;
  format: (value: number) => string;
}

const kWidth = 560;
const kHeight = 180;
const kLeft = 66;
const kRight = 12;
const kTop = 10;
const kBottom = 24;
const kRows = 4;
const kSeconds = 10 * 60_000; // a shorter span shows them

// The next power of two: bytes are counted by those.
const roundUp = (value: number): number => 2 ** Math.ceil(Math.log2(value));

export function Chart({ title, times, lines, top, least = 1, format }: ChartProps) {
  const [hovered, setHovered] = useState<number | null>(null);
  const highest = Math.max(least, ...lines.flatMap((line) => line.values));
  const scale = top ?? roundUp(highest);
  const begin = times[0] ?? 0;
  const span = Math.max(1, (times[times.length - 1] ?? 1) - begin);
  const x = (time: number) => kLeft + ((time - begin) / span) * (kWidth - kLeft - kRight);
  const y = (value: number) => kTop + (1 - Math.min(value, scale) / scale) * (kHeight - kTop - kBottom);
  const point = (value: number, i: number) => `${x(times[i] ?? begin).toFixed(1)} ${y(value).toFixed(1)}`;
  const time = span < kSeconds ? clockWithSeconds : clock;
  const shown = hovered ?? times.length - 1;
  const summary = lines
    .map((line) => `${line.name} now ${format(line.values.at(-1) ?? 0)}, at most ${format(Math.max(0, ...line.values))}`)
    .join('; ');
  const hover = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const pointed = begin + ((((event.clientX - box.left) / box.width) * kWidth - kLeft) / (kWidth - kLeft - kRight)) * span;
    const distance = times.map((each) => Math.abs(each - pointed));
    setHovered(distance.indexOf(Math.min(...distance)));
  };
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {lines.map((line, i) => (
          <span key={line.name} class={`chart-value line-${i}`}>
            {lines.length > 1 && <span class="chart-name">{line.name} </span>}
            {format(line.values[shown] ?? 0)}
          </span>
        ))}
        <span class="chart-time">{time(times[shown] ?? 0)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} role="img" aria-label={`${title}: ${summary}`} onPointerMove={hover}
        onPointerLeave={() => setHovered(null)}>
        {Array.from({ length: kRows + 1 }, (_, row) => (
          <g key={row} class="grid">
            <line x1={kLeft} x2={kWidth - kRight} y1={y((scale * row) / kRows)} y2={y((scale * row) / kRows)} />
            <text x={kLeft - 8} y={y((scale * row) / kRows) + 4} text-anchor="end">
              {format((scale * row) / kRows)}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((part) => (
          <text key={part} class="axis" x={kLeft + part * (kWidth - kLeft - kRight)} y={kHeight - 6}
            text-anchor={part === 0 ? 'start' : part === 1 ? 'end' : 'middle'}>
            {time(begin + part * span)}
          </text>
        ))}
        {lines.map((line, i) => (
          <g key={line.name} class={`line-${i}`}>
            <path class="area" d={`M${line.values.map(point).join('L')}L${x(begin + span)} ${y(0)}L${x(begin)} ${y(0)}Z`} />
            <path class="stroke" d={`M${line.values.map(point).join('L')}`} />
          </g>
        ))}
        {hovered !== null && <line class="cross" x1={x(times[shown] ?? 0)} x2={x(times[shown] ?? 0)} y1={kTop} y2={y(0)} />}
      </svg>
    </figure>
  );
}
