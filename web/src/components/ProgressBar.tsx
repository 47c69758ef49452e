interface Props {
  value: number; // 0..100
  label: string;
  active?: boolean;
}

/** The fill moves by a custom property set through the CSSOM, which a strict `style-src` allows. */
export function ProgressBar({ value, label, active }: Props) {
  return (
    <div
      class={active ? 'bar active' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value}
      data-testid="progress"
    >
      <div class="bar-fill" style={{ '--part': String(value / 100) }} />
    </div>
  );
}
