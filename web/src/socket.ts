// The two namespaces of the server, by the unmodified socket.io-client over one connection.

import { Manager, type Socket } from 'socket.io-client';

import { addressOf } from './base';
import type { Announcement, JobSummary, Notification, QueueUpdate } from './contract';

/** How things stand with `/queue`. `off`: the server does not offer it; REST has to do. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'off';

export interface Listener {
  link(link: Link): void;
  /** The token is refused, or ran out: code and sentence of the server. */
  refused(code: string, message: string): void;
  /** Before `subscribe-queue` is sent, and with what it acknowledges. */
  subscribing(): void;
  subscribed(jobs: JobSummary[]): void;
  update(update: QueueUpdate): void;
  unread(count: number): void;
  initial(notifications: Notification[], count: number): void;
  list(notifications: Notification[], total: number): void;
  notified(notification: Notification): void;
  announced(announcement: Announcement): void;
  read(id: string): void;
  allRead(): void;
}

interface Refusal extends Error {
  data?: { code?: string };
}

const refused = 'The server does not accept this token.';
const retryDelay = 2000; // ms, after the server closed a namespace itself

export class Connection {
  private readonly manager = new Manager(location.origin, {
    path: addressOf('/socket.io').pathname,
    reconnectionDelayMax: 5000,
  });
  private readonly queue: Socket;
  private readonly notifications: Socket;
  private closed = false;
  private authError?: { code: string; message: string };

  constructor(
    private readonly token: () => string,
    private readonly listener: Listener,
  ) {
    const auth = (send: (data: object) => void) => send({ token: this.token() });
    this.queue = this.manager.socket('/queue', { auth });
    this.notifications = this.manager.socket('/notifications', { auth });
    this.listenToQueue();
    this.listenToNotifications();
    this.watch(this.queue, (link) => listener.link(link));
    this.watch(this.notifications, () => {});
  }

  markRead(notificationId: string): void {
    this.notifications.emit('mark-as-read', { notificationId });
  }

  markAllRead(): void {
    this.notifications.emit('mark-all-as-read');
  }

  askForList(limit: number, offset: number): void {
    this.notifications.emit('get-notifications', { limit, offset });
  }

  /** Asks again for what has not ended. */
  subscribe(): void {
    if (!this.queue.connected) return;
    this.listener.subscribing();
    this.queue.emit('subscribe-queue', (answer?: { jobs?: JobSummary[] }) => {
      if (!this.closed && Array.isArray(answer?.jobs)) this.listener.subscribed(answer.jobs);
    });
  }

  /** Keeps the sockets beyond their token's end. Returns why the server did not take the fresh one; empty: it did. */
  async refresh(token: string): Promise<string> {
    const sockets = [this.queue, this.notifications].filter((socket) => socket.connected);
    const answers = await Promise.all(
      sockets.map((socket) =>
        socket
          .timeout(5000)
          .emitWithAck('auth-refresh', { token })
          .then((answer?: { success?: boolean; error?: string }) => (answer?.success === false ? (answer.error ?? refused) : ''))
          .catch(() => refused),
      ),
    );
    const refusal = answers.find(Boolean) ?? '';
    if (!refusal) this.authError = undefined;
    return refusal;
  }

  close(): void {
    this.closed = true;
    this.queue.disconnect();
    this.notifications.disconnect();
  }

  private listenToQueue(): void {
    this.queue.on('connect', () => this.subscribe());
    this.queue.on('queue-update', (update: QueueUpdate) => {
      if (update && typeof update.jobId === 'string') this.listener.update(update);
    });
  }

  private listenToNotifications(): void {
    const { notifications: socket, listener } = this;
    socket.on('unread-count', (payload: { count: number }) => listener.unread(payload.count));
    socket.on('initial-notifications', (payload: { notifications: Notification[]; count: number }) =>
      listener.initial(payload.notifications, payload.count),
    );
    socket.on('notifications-list', (payload: { notifications: Notification[]; total: number }) =>
      listener.list(payload.notifications, payload.total),
    );
    socket.on('new-notification', (payload: Notification) => listener.notified(payload));
    socket.on('system-notification', (payload: Announcement) => listener.announced(payload));
    socket.on('marked-as-read', (payload: { notificationId: string }) => listener.read(payload.notificationId));
    socket.on('all-marked-as-read', () => listener.allRead());
  }

  private watch(socket: Socket, tell: (link: Link) => void): void {
    socket.on('connect', () => tell('live'));
    socket.on('auth-error', (payload: { code?: string; message?: string }) => {
      const code = payload?.code ?? 'TOKEN_INVALID';
      // Another code: the fresh token cannot be judged at the moment, and the socket stays.
      if (code.startsWith('TOKEN_')) this.authError = { code, message: payload?.message ?? '' };
    });
    socket.on('connect_error', (error: Refusal) => {
      if (this.closed) return;
      const code = error.data?.code ?? '';
      if (code.startsWith('TOKEN_')) this.listener.refused(code, error.message);
      else if (socket.active) tell('reconnecting');
      else if (error.message === 'Invalid namespace') tell('off');
      else this.connectLater(socket, tell);
    });
    socket.on('disconnect', (reason) => {
      if (this.closed) return;
      if (this.authError) this.listener.refused(this.authError.code, this.authError.message);
      else if (reason === 'io server disconnect') this.connectLater(socket, tell);
      else tell('reconnecting');
    });
  }

  // The client does not come back by itself where the server closed the namespace or refused it.
  private connectLater(socket: Socket, tell: (link: Link) => void): void {
    tell('reconnecting');
    setTimeout(() => {
      if (!this.closed && !socket.active) socket.connect();
    }, retryDelay);
  }
}
