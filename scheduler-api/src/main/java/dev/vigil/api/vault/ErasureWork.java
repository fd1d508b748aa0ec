package dev.vigil.api.vault;

import dev.vigil.api.vault.TombstoneFile.Tombstone;
import dev.vigil.api.web.Accounts;
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
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// What is done behind a tombstone: the account is emptied, the tasks are told to go, the keys are destroyed. Every
/// step may be repeated.
final class ErasureWork {
    private static final int SAMPLES_MAX = 3;
    private static final int REMEMBERED_MAX = 1000;
    private static final UUID NOBODY = new UUID(0, 0);

    private final VaultStore store;
    private final Means means;
    private final Erasures erasures;
    private final Map<UUID, List<Sample>> samples = new ConcurrentHashMap<>();

    ErasureWork(VaultStore store, Means means) {
        this.store = store;
        this.means = means;
        this.erasures = new Erasures(store.db());
    }

    /// What an erasure works with.
    ///
    /// @param tombstones the list outside of the database
    record Means(
            DataKeys keys,
            PayloadSealer sealer,
            Tasks tasks,
            SubjectTasks subjectTasks,
            Accounts accounts,
            PiiTokens tokens,
            TombstoneFile tombstones) {}

    /// A sealed payload of his, kept to see that it does not open afterwards.
    private record Sample(Place place, UUID keyId, byte[] sealed) {}

    Means means() {
        return means;
    }

    Erasures erasures() {
        return erasures;
    }

    /// How many of his tasks are still stored: their owners have not carried it out yet.
    long remaining(Person person) {
        return means.subjectTasks().stored(person);
    }

    /// Goes as far as it can.
    ///
    /// @param by who approved it; null when it is done again after a restore
    void carryOut(Tombstone tombstone, @Nullable UUID by) {
        eraseAccount(tombstone, by);
        commandOwners(tombstone, by);
        destroyKeys(tombstone, by);
    }

    /// A user is shut out first, so that he makes no more tasks meanwhile.
    private void eraseAccount(Tombstone tombstone, @Nullable UUID by) {
        Person person = tombstone.person();
        if (!person.owner().equals(NOBODY)
                && means.accounts()
                        .namespaceOf(person.owner())
                        .filter(namespace -> namespace == person.namespace())
                        .isPresent()) {
            means.accounts().erase(person.owner(), by, publicId(tombstone));
        }
    }

    private void commandOwners(Tombstone tombstone, @Nullable UUID by) {
        Person person = tombstone.person();
        for (List<TaskRef> batch = means.subjectTasks().unerased(person);
                !batch.isEmpty();
                batch = means.subjectTasks().unerased(person)) {
            int accepted = 0;
            long executions = 0;
            for (TaskRef task : batch) {
                sample(tombstone.request(), task);
                long known = means.subjectTasks().executions(task);
                AuditEvent event = event(EventType.TASK_DELETED, "erase", tombstone, by)
                        .namespace(task.namespace())
                        .task(task.id());
                if (means.tasks().erase(task, Events.of(event)) instanceof CommandResult.Accepted) {
                    accepted++;
                    executions += known;
                }
            }
            erasures.count(tombstone, accepted, executions);
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

    private void destroyKeys(Tombstone tombstone, @Nullable UUID by) {
        Person person = tombstone.person();
        store.transactions().executeWithoutResult(_ -> {
            means.tokens().erase(person);
            for (UUID key : means.keys().destroy(person.namespace(), person.subjectIndex())) {
                store.events()
                        .append(event(EventType.KEY_ROTATED, "destroy_data_key", tombstone, by)
                                .namespace(person.namespace())
                                .with("key_id", key.toString()));
            }
        });
    }

    /// Tries to open what was sealed for him.
    ///
    /// @param destroyed ids of the keys that must open nothing any more
    /// @return how many payloads were tried, in vain
    int tryToOpen(UUID request, List<UUID> destroyed) {
        int tried = 0;
        for (Sample sample : samples.getOrDefault(request, List.of())) {
            if (!destroyed.contains(sample.keyId())) {
                continue;
            }
            Opened opened =
                    means.sealer().open(sample.place(), sample.place().payload(sample.keyId()), sample.sealed());
            if (!(opened instanceof Opened.Erased)) {
                throw new VaultException(
                        "a payload of an erased subject still opens; erasure of request " + request + " does not end");
            }
            tried++;
        }
        samples.remove(request);
        return tried;
    }

    private AuditEvent event(EventType type, String action, Tombstone tombstone, @Nullable UUID by) {
        AuditEvent event = store.events()
                .event(type, action, Result.SUCCESS)
                .subject(HexFormat.of().formatHex(tombstone.person().subjectIndex()))
                .with("request", publicId(tombstone));
        return by == null ? event : event.user(by);
    }

    private static String publicId(Tombstone tombstone) {
        return new Id(Kind.SUBJECT_REQUEST, tombstone.request()).toString();
    }
}
