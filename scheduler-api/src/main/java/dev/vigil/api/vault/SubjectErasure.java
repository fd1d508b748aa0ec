package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.SubjectTasks;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// Erases a person, step by step; every step may be repeated. It begins with the tombstone, so that nothing new is
/// sealed for him; then owners are told to erase his tasks, his keys are destroyed, and it is done once no task of his
/// is stored, the other nodes had time to forget the keys, and what was sealed under them is seen not to open.
final class SubjectErasure {
    private static final int SAMPLES_MAX = 3;
    private static final int REMEMBERED_MAX = 1000;

    private final VaultStore store;
    private final SubjectRequests requests;
    private final Persons persons;
    private final Means means;
    private final Map<UUID, List<Sample>> samples = new ConcurrentHashMap<>();

    SubjectErasure(VaultStore store, SubjectRequests requests, Persons persons, Means means) {
        this.store = store;
        this.requests = requests;
        this.persons = persons;
        this.means = means;
    }

    /// What an erasure works with.
    record Means(DataKeys keys, PayloadSealer sealer, Tasks tasks, SubjectTasks subjectTasks) {}

    /// A sealed payload of his, kept to see that it does not open afterwards.
    private record Sample(Place place, UUID keyId, byte[] sealed) {}

    /// How far an erasure is.
    ///
    /// @param done      everything is gone and was seen to be
    /// @param tasks     tasks erased
    /// @param remaining tasks whose owners have not carried it out yet
    /// @param keys      ids of the keys destroyed
    /// @param tried     sealed payloads that were tried afterwards and did not open
    /// @param eventId   the audit event of its end; empty before
    record Progress(boolean done, int tasks, long remaining, List<String> keys, int tried, String eventId) {}

    /// Goes as far as it can.
    ///
    /// @param request an approved erasure
    Progress advance(SubjectRequest request) {
        if (request.doneEvent() != null) {
            return progress(request, 0, new Id(Kind.AUDIT_EVENT, request.doneEvent()).toString());
        }
        List<SubjectRequests.Tombstone> tombstones = requests.tombstones(request.id());
        if (tombstones.isEmpty()) {
            begin(request);
            tombstones = requests.tombstones(request.id());
        }
        long remaining = 0;
        boolean keysForgotten = true;
        for (SubjectRequests.Tombstone tombstone : tombstones) {
            commandOwners(request, tombstone.person());
            destroyKeys(request, tombstone.person());
            remaining += means.subjectTasks().stored(tombstone.person());
            keysForgotten &= means.keys().forgottenEverywhere(tombstone.person());
        }
        return remaining == 0 && keysForgotten ? finish(request) : progress(request, remaining, "");
    }

    private void begin(SubjectRequest request) {
        String name = persons.name(request)
                .orElseThrow(() -> new VaultException("the subject of request " + request.id()
                        + " cannot be opened: another erasure destroyed his key; ask anew if he came back"));
        List<Person> concerned = persons.of(name, request.namespace(), request.everywhere());
        store.transactions().executeWithoutResult(_ -> {
            for (Person person : concerned) {
                requests.entomb(request.id(), person);
            }
            store.events().append(event(EventType.USER_DATA_DELETED, "begin_erasure", request));
        });
        concerned.forEach(person -> means.keys().forget(person.namespace(), person.subjectIndex(), List.of()));
    }

    private void commandOwners(SubjectRequest request, Person person) {
        for (List<TaskRef> batch = means.subjectTasks().unerased(person);
                !batch.isEmpty();
                batch = means.subjectTasks().unerased(person)) {
            int accepted = 0;
            for (TaskRef task : batch) {
                sample(request.id(), task);
                AuditEvent event = event(EventType.TASK_DELETED, "erase", request)
                        .namespace(task.namespace())
                        .task(task.id())
                        .subject(HexFormat.of().formatHex(person.subjectIndex()));
                if (means.tasks().erase(task, Events.of(event)) instanceof CommandResult.Accepted) {
                    accepted++;
                }
            }
            requests.countErased(request.id(), person, accepted);
            if (accepted == 0) {
                return;
            }
        }
    }

    private void sample(UUID request, TaskRef task) {
        List<Sample> kept = samples.computeIfAbsent(request, _ -> new ArrayList<>());
        if (kept.size() >= SAMPLES_MAX || samples.size() > REMEMBERED_MAX) {
            return;
        }
        means.tasks()
                .get(task.id())
                .ifPresent(view -> means.tasks()
                        .payload(task)
                        .ifPresent(bytes -> kept.add(new Sample(place(view), view.keyId(), bytes))));
    }

    private static Place place(TaskView task) {
        return new Place(
                task.id(), task.namespace(), task.payloadVersion(), task.draft().handler());
    }

    private void destroyKeys(SubjectRequest request, Person person) {
        store.transactions().executeWithoutResult(_ -> {
            for (UUID key : means.keys().destroy(person.namespace(), person.subjectIndex())) {
                store.events()
                        .append(event(EventType.KEY_ROTATED, "destroy_data_key", request)
                                .namespace(person.namespace())
                                .subject(HexFormat.of().formatHex(person.subjectIndex()))
                                .with("key_id", key.toString()));
            }
        });
    }

    private Progress finish(SubjectRequest request) {
        List<Sample> kept = samples.getOrDefault(request.id(), List.of());
        List<UUID> destroyed = destroyed(request);
        for (UUID key : destroyed) {
            if (!(means.keys().find(key) instanceof DataKeys.Lookup.Destroyed)) {
                throw new VaultException("data key " + key + " was destroyed and is there again; erasure of request "
                        + request.id() + " does not end");
            }
        }
        int tried = 0;
        for (Sample sample : kept) {
            if (!destroyed.contains(sample.keyId())) {
                continue;
            }
            Opened opened =
                    means.sealer().open(sample.place(), sample.place().payload(sample.keyId()), sample.sealed());
            if (!(opened instanceof Opened.Erased)) {
                throw new VaultException("a payload of an erased subject still opens; erasure of request "
                        + request.id() + " does not end");
            }
            tried++;
        }
        samples.remove(request.id());
        UUID doneEvent = Objects.requireNonNull(store.transactions().execute(_ -> {
            AuditEvent done = event(EventType.USER_DATA_DELETED, "erase", request)
                    .with("keys", (long) destroyed.size())
                    .with("tasks", (long) tasks(request));
            requests.update(request.ended(done.id()));
            requests.release(request.id());
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
        return new Progress(!eventId.isEmpty(), tasks(request), remaining, keys, tried, eventId);
    }

    private int tasks(SubjectRequest request) {
        return requests.tombstones(request.id()).stream()
                .mapToInt(SubjectRequests.Tombstone::tasks)
                .sum();
    }

    private List<UUID> destroyed(SubjectRequest request) {
        return requests.tombstones(request.id()).stream()
                .flatMap(tombstone -> means.keys().destroyed(tombstone.person()).stream())
                .toList();
    }

    private AuditEvent event(EventType type, String action, SubjectRequest request) {
        UUID by = request.approvedBy() == null ? request.requestedBy() : request.approvedBy();
        return store.events()
                .event(type, action, Result.SUCCESS)
                .user(by)
                .with("request", new Id(Kind.SUBJECT_REQUEST, request.id()).toString());
    }
}
