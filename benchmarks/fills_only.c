/* The yardstick of fills_only.py: the fill rules for resting limit orders (fills/exchange.py, rules 1 to 13 and 26, queue
   model BEHIND_FIRST, expected band, no fees), two queues of latency and the same strategy, in one plain C loop over the same rows of EVENT. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SLOTS 16
#define RING 4096
#define DEEP 15 /* levels taken behind the best one */
#define DEPTH_TICKS 2
#define DEPTH_PERCENT 50
#define NO_RANK (-(INT64_C(1) << 62))
#define UNKNOWN (INT64_C(1) << 62)
#define BUY 256
#define SELL 512
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

enum { QUOTE = 1, TRADE = 2, ACK = 16, PARTIAL, FILL, CANCELLED, CANCEL_REJECTED = 26 };
enum { SAME, RESIZED, MOVED };

typedef struct { int64_t ts, seq, exch, a, b, c, d; int16_t symbol; int8_t kind, venue; int32_t flags; } event_t; /* bid ask sizes; price - qty */
typedef struct { int64_t id, rank, leaves, ahead, ghost, side; } order_t;
typedef struct {
    int64_t rank, qty, drop, drop_until, print, print_until, gone_rank, gone_drop, gone_until, taken_rank, taken, n_deep, best, worst, change, fresh, is_first, explained;
    struct { int64_t rank, qty; } deep[DEEP]; /* worst first */
} ledger_t;
typedef struct { int64_t id, side, is_cancelled; } own_t; /* what the strategy knows */
typedef struct {
    int64_t bid, ask, bid_qty, ask_qty, last_price, last_qty, n, n_own, next_ts;
    ledger_t side[2];
    order_t orders[SLOTS];
    own_t own[SLOTS];
} symbol_t;
typedef struct { int64_t due, kind, id, side, price, qty, symbol; } message_t;
typedef struct { message_t rows[RING]; int64_t head, count; } queue_t;
typedef struct { int64_t ts, id, price, qty, symbol; } fill_t;
typedef struct {
    symbol_t *symbols;
    queue_t out, back;
    fill_t *fills;
    int64_t n_fills, next_id, fall_waits, print_waits, tick, latency, ineligible, now;
} world_t;

static void push(queue_t *q, message_t m) { q->rows[(q->head + q->count++) % RING] = m; }
static message_t pop(queue_t *q) { message_t m = q->rows[q->head]; q->head = (q->head + 1) % RING; q->count--; return m; }

static void answer(world_t *w, int64_t s, int64_t kind, int64_t id) { push(&w->back, (message_t){w->now + w->latency, kind, id, 0, 0, 0, s}); }

static void forget_pairs(ledger_t *l, int64_t now) {
    if (l->drop > 0 && now > l->drop_until) l->drop = 0;
    if (l->print > 0 && now > l->print_until) l->print = 0;
}

static bool show(ledger_t *l, int64_t rank, int64_t qty, int64_t now, int64_t wait) {
    if (rank == l->rank && qty == l->qty) { l->change = SAME; return false; }
    forget_pairs(l, now);
    if (rank == l->rank) {
        int64_t fall = l->qty - qty;
        l->qty = qty;
        l->change = RESIZED;
        if (fall <= 0) return false;
        int64_t drop = MAX(fall - l->print, 0);
        l->print = MAX(l->print - fall, 0);
        l->fresh = drop;
        l->is_first = drop > 0 && l->drop == 0;
        if (l->is_first) l->drop_until = now + wait;
        l->drop += drop;
        return l->best >= l->rank && l->worst <= l->rank;
    }
    int64_t old = l->rank;
    l->change = MOVED;
    l->is_first = l->drop == 0;
    if (old != NO_RANK) {
        int64_t left = rank != NO_RANK && rank < old ? MAX(l->qty - l->print, 0) : 0;
        l->gone_rank = old; l->gone_until = now + wait; l->gone_drop = l->drop + left;
    }
    if (l->gone_rank == rank) l->gone_rank = NO_RANK;
    l->rank = rank; l->qty = qty; l->drop = 0; l->print = 0;
    return rank != NO_RANK && l->best >= rank;
}

static bool keep_taken(ledger_t *l, int64_t rank, int64_t qty) {
    if (rank == NO_RANK || rank > l->taken_rank) return false;
    if (rank == l->taken_rank) { l->taken = MIN(l->taken, qty); return false; }
    if (l->n_deep == 0) { l->taken_rank = NO_RANK; return false; }
    return true;
}

static void forget_passed(ledger_t *l, int64_t rank, int64_t qty) {
    while (l->taken_rank != NO_RANK && rank < l->taken_rank) {
        if (l->n_deep == 0) { l->taken_rank = NO_RANK; break; }
        l->n_deep--;
        l->taken_rank = l->deep[l->n_deep].rank;
        l->taken = l->deep[l->n_deep].qty;
    }
    if (rank == l->taken_rank) l->taken = MIN(l->taken, qty);
}

static int64_t left_of(const ledger_t *l, int64_t rank, int64_t qty) {
    if (rank == l->taken_rank) return MAX(qty - l->taken, 0);
    for (int64_t k = 0; k < l->n_deep; k++)
        if (l->deep[k].rank == rank) return MAX(qty - l->deep[k].qty, 0);
    return qty;
}

static void take_deep(ledger_t *l, int64_t rank, int64_t qty) {
    int64_t at = l->n_deep;
    while (at > 0 && l->deep[at - 1].rank >= rank) at--;
    if (at < l->n_deep && l->deep[at].rank == rank) { l->deep[at].qty += qty; return; }
    if (l->n_deep == DEEP) {
        if (at == 0) return;
        at--;
        memmove(&l->deep[0], &l->deep[1], (size_t)at * sizeof(l->deep[0]));
    } else {
        memmove(&l->deep[at + 1], &l->deep[at], (size_t)(l->n_deep - at) * sizeof(l->deep[0]));
        l->n_deep++;
    }
    l->deep[at].rank = rank;
    l->deep[at].qty = qty;
}

static void take_from(ledger_t *l, int64_t rank, int64_t qty) {
    if (rank == l->taken_rank) { l->taken += qty; return; }
    if (rank < l->taken_rank) { take_deep(l, rank, qty); return; }
    if (l->taken_rank != NO_RANK) take_deep(l, l->taken_rank, l->taken);
    l->taken_rank = rank;
    l->taken = qty;
}

static void compact(symbol_t *b) {
    int64_t kept = 0;
    for (int k = 0; k < 2; k++) b->side[k].best = b->side[k].worst = NO_RANK;
    for (int64_t k = 0; k < b->n; k++) {
        if (b->orders[k].leaves <= 0) continue;
        order_t o = b->orders[kept++] = b->orders[k];
        ledger_t *l = &b->side[o.side < 0];
        if (l->best == NO_RANK || o.rank > l->best) l->best = o.rank;
        if (l->worst == NO_RANK || o.rank < l->worst) l->worst = o.rank;
    }
    b->n = kept;
}

static void fill(world_t *w, int64_t s, order_t *o, int64_t price, int64_t qty) {
    o->leaves -= qty;
    w->fills[w->n_fills++] = (fill_t){w->now, o->id, price, qty, s};
    answer(w, s, o->leaves > 0 ? PARTIAL : FILL, o->id);
}

static int64_t touch_ahead(int64_t ahead, int64_t shown) { return ahead == UNKNOWN ? shown : MIN(ahead, shown); } /* BEHIND_FIRST */

static void react(symbol_t *b, int64_t side, ledger_t *l) {
    int64_t floor = 0;
    for (int64_t k = 0; k < b->n; k++) {
        order_t *o = &b->orders[k];
        if (o->side != side || o->rank < l->rank) continue;
        if (o->rank == l->rank) {
            if (l->change == RESIZED && l->is_first) o->ghost = o->ahead;
            floor = MAX(touch_ahead(o->ahead, l->qty), floor);
            o->ahead = floor;
        } else if (l->change == MOVED) {
            if (o->rank == l->gone_rank && l->is_first) o->ghost = o->ahead;
            o->ahead = 0;
        }
    }
}

static order_t *best_beyond(symbol_t *b, int64_t side, int64_t above) {
    order_t *best = 0;
    for (int64_t k = 0; k < b->n; k++) {
        order_t *o = &b->orders[k];
        if (o->side == side && o->leaves > 0 && o->rank > above) { best = o; above = o->rank; }
    }
    return best;
}

static void cross(world_t *w, int64_t s, int64_t side, ledger_t *other, int64_t rank, int64_t qty) {
    int64_t left = left_of(other, rank, qty);
    for (order_t *o; left > 0 && (o = best_beyond(&w->symbols[s], side, -rank - 1));) {
        int64_t n = MIN(left, o->leaves);
        left -= n;
        take_from(other, rank, n);
        fill(w, s, o, side * o->rank, n);
    }
}

static void on_quote(world_t *w, const event_t *e, symbol_t *b) {
    ledger_t *bids = &b->side[0], *asks = &b->side[1];
    int64_t bid = e->c > 0 ? e->a : NO_RANK, ask = e->d > 0 ? -e->b : NO_RANK;
    bool bids_react = show(bids, bid, e->c, e->ts, w->fall_waits), asks_react = show(asks, ask, e->d, e->ts, w->fall_waits);
    if (bids->taken_rank != NO_RANK && keep_taken(bids, bid, e->c)) forget_passed(bids, bid, e->c);
    if (asks->taken_rank != NO_RANK && keep_taken(asks, ask, e->d)) forget_passed(asks, ask, e->d);
    if (bids_react) react(b, 1, bids);
    if (asks_react) react(b, -1, asks);
    bool bids_cross = ask != NO_RANK && bids->best >= -ask, asks_cross = bid != NO_RANK && asks->best >= -bid;
    if (bids_cross) cross(w, e->symbol, 1, asks, ask, e->d);
    if (asks_cross) cross(w, e->symbol, -1, bids, bid, e->c);
    if (bids_cross || asks_cross) compact(b);
}

static bool awaits_print(const ledger_t *l, int64_t rank, int64_t now) {
    if (rank == l->gone_rank) return l->gone_drop > 0 && now <= l->gone_until;
    return rank == l->rank && l->drop > 0 && now <= l->drop_until;
}

static int64_t passive_side(const event_t *e, symbol_t *b) {
    int64_t price = e->a;
    if (e->flags & (BUY | SELL)) return (e->flags & BUY) && (e->flags & SELL) ? 0 : (e->flags & SELL) ? 1 : -1;
    bool bid = awaits_print(&b->side[0], price, e->ts), ask = awaits_print(&b->side[1], -price, e->ts);
    if (bid != ask) return bid ? 1 : -1;
    bool low = b->bid_qty > 0 && price <= b->bid, high = b->ask_qty > 0 && price >= b->ask;
    if (low != high) return low ? 1 : -1;
    if (b->bid_qty > 0 && b->ask_qty > 0 && !low && 2 * price != b->bid + b->ask) return 2 * price < b->bid + b->ask ? 1 : -1;
    if (b->last_qty <= 0 || price == b->last_price) return 0;
    return price < b->last_price ? 1 : -1;
}

static bool hear(ledger_t *l, int64_t rank, int64_t qty, int64_t now, int64_t wait) {
    int64_t explained = 0;
    if (rank == l->rank) {
        forget_pairs(l, now);
        explained = MIN(qty, l->drop);
        l->drop -= explained;
        if (l->print == 0) l->print_until = now + wait;
        l->print += qty - explained;
    } else if (rank == l->gone_rank) {
        if (now <= l->gone_until) explained = MIN(qty, l->gone_drop);
        l->gone_drop -= explained;
    }
    l->explained = explained;
    return l->best >= rank;
}

static void walk(world_t *w, int64_t s, int64_t side, int64_t rank, int64_t qty, bool is_explained) {
    symbol_t *b = &w->symbols[s];
    int64_t left = qty, used = 0;
    for (int64_t k = 0; k < b->n; k++) {
        order_t *o = &b->orders[k];
        int64_t front = is_explained ? o->ghost : o->ahead;
        if (o->rank != rank || o->side != side || o->leaves <= 0 || front >= UNKNOWN) continue;
        int64_t taken = MIN(MAX(front - used, 0), left);
        used += taken; left -= taken;
        front = MAX(front - used, 0);
        if (is_explained) { o->ghost = front; o->ahead = MIN(o->ahead, front); } else o->ahead = front;
        int64_t n = MIN(left, o->leaves);
        if (n > 0) { left -= n; fill(w, s, o, side * rank, n); }
    }
}

static void on_trade(world_t *w, const event_t *e, symbol_t *b) {
    if ((e->flags & w->ineligible) || e->c <= 0 || e->a <= 0 || (w->tick > 1 && e->a % w->tick != 0)) return;
    int64_t side = passive_side(e, b), rank = side * e->a, left = e->c;
    if (side == 0 || !hear(&b->side[side < 0], rank, e->c, e->ts, w->print_waits)) return;
    for (order_t *o; left > 0 && (o = best_beyond(b, side, rank));) {
        int64_t n = MIN(left, o->leaves);
        left -= n;
        fill(w, e->symbol, o, side * o->rank, n);
    }
    int64_t explained = MIN(b->side[side < 0].explained, left);
    if (explained > 0) walk(w, e->symbol, side, rank, explained, true);
    if (left > explained) walk(w, e->symbol, side, rank, left - explained, false);
    compact(b);
}

static void on_new(world_t *w, message_t m) {
    symbol_t *b = &w->symbols[m.symbol];
    order_t *o = &b->orders[b->n++];
    bool is_buy = m.side > 0;
    ledger_t *other = &b->side[is_buy];
    int64_t touch = is_buy ? b->bid : -b->ask, touch_qty = is_buy ? b->bid_qty : b->ask_qty;
    int64_t price = is_buy ? b->ask : b->bid, qty = is_buy ? b->ask_qty : b->bid_qty, floor = 0;
    *o = (order_t){m.id, m.side * m.price, m.qty, UNKNOWN, UNKNOWN, m.side};
    if (touch_qty > 0 && o->rank >= touch) {
        for (order_t *k = b->orders; k < o; k++)
            if (k->rank == o->rank && k->side == o->side) floor = MAX(floor, k->ahead);
        o->ahead = MAX(o->rank == touch ? touch_qty : 0, floor);
    }
    answer(w, m.symbol, ACK, m.id);
    if (qty > 0) forget_passed(other, -m.side * price, qty);
    for (int64_t k = 0; qty > 0 && k <= DEPTH_TICKS; k++) {
        int64_t rank = -m.side * price - k * w->tick;
        if (o->rank < -rank || (m.side < 0 && rank <= 0)) break;
        int64_t n = MIN(left_of(other, rank, k ? qty * DEPTH_PERCENT / 100 : qty), o->leaves);
        if (n > 0) { take_from(other, rank, n); fill(w, m.symbol, o, -m.side * rank, n); }
    }
    compact(b);
}

static void on_cancel(world_t *w, message_t m) {
    symbol_t *b = &w->symbols[m.symbol];
    for (int64_t k = 0; k < b->n; k++)
        if (b->orders[k].id == m.id) { b->orders[k].leaves = 0; answer(w, m.symbol, CANCELLED, m.id); compact(b); return; }
    answer(w, m.symbol, CANCEL_REJECTED, m.id);
}

static void on_answer(world_t *w, message_t m) {
    symbol_t *b = &w->symbols[m.symbol];
    int64_t k = 0;
    while (k < b->n_own && b->own[k].id != m.id) k++;
    if (k == b->n_own) return;
    if (m.kind == CANCEL_REJECTED) b->own[k].is_cancelled = 0;
    if (m.kind != FILL && m.kind != CANCELLED) return;
    b->n_own--;
    memmove(&b->own[k], &b->own[k + 1], (size_t)(b->n_own - k) * sizeof(own_t));
}

static void due(world_t *w, int64_t ts) {
    for (;;) {
        int64_t out = w->out.count ? w->out.rows[w->out.head].due : INT64_MAX, back = w->back.count ? w->back.rows[w->back.head].due : INT64_MAX;
        if (MIN(out, back) >= ts) return;
        if (out > back) { on_answer(w, pop(&w->back)); continue; }
        message_t m = pop(&w->out);
        w->now = m.due;
        if (m.kind == ACK) on_new(w, m); else on_cancel(w, m);
    }
}

/* Once a second and symbol: with eight orders cancel the oldest, with fewer fill up at the touch, on the side that has fewer. */
static void quote_eight(world_t *w, int64_t s, int64_t ts, int64_t qty) {
    symbol_t *b = &w->symbols[s];
    if (ts < b->next_ts) return;
    b->next_ts = ts + INT64_C(1000000000);
    if (b->n_own >= 8) {
        if (!b->own[0].is_cancelled) push(&w->out, (message_t){ts + w->latency, CANCELLED, b->own[0].id, 0, 0, 0, s});
        b->own[0].is_cancelled = 1;
        return;
    }
    int64_t net = 0;
    for (int64_t k = 0; k < b->n_own; k++) net += b->own[k].side;
    while (b->n_own < 8) {
        int64_t side = net > 0 ? -1 : 1;
        net += side;
        b->own[b->n_own++] = (own_t){w->next_id, side, 0};
        push(&w->out, (message_t){ts + w->latency, ACK, w->next_id++, side, side > 0 ? b->bid : b->ask, qty, s});
    }
}

int64_t run(const event_t *events, int64_t n, world_t *w, int64_t qty) {
    for (int64_t i = 0; i < n; i++) {
        const event_t *e = &events[i];
        symbol_t *b = &w->symbols[e->symbol];
        due(w, e->ts);
        w->now = e->ts;
        if (e->kind == QUOTE) {
            on_quote(w, e, b);
            b->bid = e->a; b->ask = e->b; b->bid_qty = e->c; b->ask_qty = e->d;
            quote_eight(w, e->symbol, e->ts, qty);
        } else if (e->kind == TRADE) {
            on_trade(w, e, b);
            b->last_price = e->a; b->last_qty = e->c;
        }
    }
    return w->n_fills;
}

int64_t world_bytes(void) { return sizeof(world_t); }
int64_t symbol_bytes(void) { return sizeof(symbol_t); }
int64_t sent(const world_t *w) { return w->next_id - 1; }

/* numbers: symbols, tick, latency, how long a fall waits, how long a print waits, flags of prints that consume nothing */
void begin(world_t *w, symbol_t *symbols, fill_t *fills, const int64_t *numbers) {
    memset(w, 0, sizeof(*w));
    memset(symbols, 0, (size_t)numbers[0] * sizeof(*symbols));
    for (int64_t s = 0; s < numbers[0]; s++)
        for (int k = 0; k < 2; k++) {
            ledger_t *l = &symbols[s].side[k];
            l->rank = l->gone_rank = l->taken_rank = l->best = l->worst = NO_RANK;
        }
    w->symbols = symbols; w->fills = fills; w->next_id = 1;
    w->tick = numbers[1]; w->latency = numbers[2]; w->fall_waits = numbers[3]; w->print_waits = numbers[4]; w->ineligible = numbers[5];
}
