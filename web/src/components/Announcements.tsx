import { dismiss, inbox } from '../app';
import { safeAddress } from '../route';
import { Icon } from './Icon';

/** What the server's operators tell everyone, until it is closed. */
export function Announcements() {
  return (
    <div class="announcements" role="region" aria-label="Announcements" aria-live="polite">
      {inbox.value.announcements.map((item) => {
        const href = safeAddress(item.actionUrl, document.baseURI);
        return (
          <div key={item.id} class="announcement" data-testid="announcement" data-severity={item.severity ?? 'info'}>
            <p>
              <strong>{item.title}</strong> {item.message}{' '}
              {href && (
                <a href={href} rel="noopener noreferrer">
                  {item.actionButtonText || 'More'}
                </a>
              )}
            </p>
            <button
              class="quiet icon-only"
              data-testid="dismiss-announcement"
              aria-label={`Close: ${item.title}`}
              onClick={() => dismiss(item.id)}
            >
              <Icon name="close" />
            </button>
          </div>
        );
      })}
    </div>
  );
}
