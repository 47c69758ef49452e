/** An error beside its field. The element is always there, so that `aria-describedby` holds. */
export function FieldError({ id, message, testid }: { id: string; message: string; testid: string }) {
  return (
    <p id={id} class="field-error" role="alert" data-testid={testid} hidden={message === ''}>
      {message}
    </p>
  );
}
