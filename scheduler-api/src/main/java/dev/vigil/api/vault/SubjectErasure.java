package dev.vigil.api.vault;

import dev.vigil.api.vault.TombstoneFile.Tombstone;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.ToIntFunction;

/// Erases a person, step by step; every step may be repeated. It begins with the tombstone, so that nothing new is
/// sealed for him; then owners are told to erase his tasks, his keys are destroyed, and it is done once no task of his
/// is stored, the other nodes had time to forget the keys, and what was sealed under them is seen not to open.
final class SubjectErasure {
    private final VaultStore store;
    private final SubjectRequests requests;
    private final Erasures erasures;
    private final Persons persons;
    private final ErasureWork work;
    private final DataKeys keys;
    private final TombstoneFile tombstones;

    SubjectErasure(VaultStore store, SubjectRequests requests, Persons persons, ErasureWork work) {
        this.store = store;
        this.requests = requests;
        this.erasures = work.erasures();
        this.persons = persons;
        this.work = work;
        this.keys = work.means().keys();
        this.tombstones = work.means().tombstones();
    }

    /// How far an erasure is.
    ///
    /// @param done       everything is gone and was seen to be
    /// @param tasks      tasks erased
    /// @param executions executions of theirs that were made anonymous
    /// @param remaining  tasks whose owners have not carried it out yet
    /// @param keys       ids of the keys destroyed
    /// @param tried      sealed payloads that were tried afterwards and did not open
    /// @param eventId    the audit event of its end; empty before
    record Progress(
            boolean done, int tasks, int executions, long remaining, List<String> keys, int tried, String eventId) {}

    /// Goes as far as it can.
    ///
    /// @param request an approved erasure
    Progress advance(SubjectRequest request) {
        if (request.doneEvent() != null) {
            return progress(request, 0, new Id(Kind.AUDIT_EVENT, request.doneEvent()).toString());
        }
        List<Erasures.Erased> concerned = erasures.of(request.id());
        if (concerned.isEmpty()) {
            begin(request);
            concerned = erasures.of(request.id());
        }
        // On disk before anything is destroyed: what is erased from here on stays so, whatever is restored.
        tombstones.add(concerned.stream()
                .map(erased -> new Tombstone(request.id(), erased.person()))
                .toList());
        long remaining = 0;
        boolean keysForgotten = true;
        for (Erasures.Erased erased : concerned) {
            var tombstone = new Tombstone(request.id(), erased.person());
            work.carryOut(tombstone, approver(request));
            remaining += work.remaining(erased.person());
            keysForgotten &= keys.forgottenEverywhere(erased.person());
        }
        return remaining == 0 && keysForgotten ? finish(request) : progress(request, remaining, "");
    }

    private void begin(SubjectRequest request) {
        String name = persons.name(request)
                .orElseThrow(() -> new VaultException("the subject of request " + request.id()
                        + " cannot be opened: another erasure destroyed his key; ask anew if he came back"));
        List<Tombstone> concerned = persons.of(name, request.namespace(), request.everywhere()).stream()
                .map(person -> new Tombstone(request.id(), person))
                .toList();
        store.transactions().executeWithoutResult(_ -> {
            concerned.forEach(erasures::begin);
            store.events().append(event("begin_erasure", request));
        });
        concerned.forEach(tombstone ->
                keys.forget(tombstone.person().namespace(), tombstone.person().subjectIndex(), List.of()));
    }

    private Progress finish(SubjectRequest request) {
        List<UUID> destroyed = destroyed(request);
        for (UUID key : destroyed) {
            if (!(keys.find(key) instanceof DataKeys.Lookup.Destroyed)) {
                throw new VaultException("data key " + key + " was destroyed and is there again; erasure of request "
                        + request.id() + " does not end");
            }
        }
        int tried = work.tryToOpen(request.id(), destroyed);
        UUID doneEvent = Objects.requireNonNull(store.transactions().execute(_ -> {
            AuditEvent done = event("erase", request)
                    .with("keys", (long) destroyed.size())
                    .with("tasks", (long) sum(request, Erasures.Erased::tasks))
                    .with("executions", (long) sum(request, Erasures.Erased::executions));
            requests.update(request.ended(done.id()));
            erasures.end(request.id());
            store.events().append(done);
            return done.id();
        }));
        return progress(request, 0, new Id(Kind.AUDIT_EVENT, doneEvent).toString(), tried);
    }

    private Progress progress(SubjectRequest request, long remaining, String eventId) {
        return progress(request, remaining, eventId, 0);
    }

    private Progress progress(SubjectRequest request, long remaining, String eventId, int tried) {
        List<String> keys = destroyed(request).stream().map(UUID::toString).toList();
        return new Progress(
                !eventId.isEmpty(),
                sum(request, Erasures.Erased::tasks),
                sum(request, Erasures.Erased::executions),
                remaining,
                keys,
                tried,
                eventId);
    }

    private int sum(SubjectRequest request, ToIntFunction<Erasures.Erased> count) {
        return erasures.of(request.id()).stream().mapToInt(count).sum();
    }

    private List<UUID> destroyed(SubjectRequest request) {
        return erasures.of(request.id()).stream()
                .flatMap(erased -> keys.destroyed(erased.person()).stream())
                .toList();
    }

    private static UUID approver(SubjectRequest request) {
        return request.approvedBy() == null ? request.requestedBy() : request.approvedBy();
    }

    private AuditEvent event(String action, SubjectRequest request) {
        return store.events()
                .event(EventType.USER_DATA_DELETED, action, Result.SUCCESS)
                .user(approver(request))
                .with("request", new Id(Kind.SUBJECT_REQUEST, request.id()).toString());
    }
}
