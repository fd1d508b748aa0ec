package dev.vigil.api.vault;

import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.task.TaskDraft;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Where plaintext ends and, for those who may read it, begins again.
public final class PayloadSealer {
    private final DataKeys keys;
    private final SubjectIndex subjects;
    private final References references;
    private final VaultStore store;

    PayloadSealer(DataKeys keys, SubjectIndex subjects, References references, VaultStore store) {
        this.keys = keys;
        this.subjects = subjects;
        this.references = references;
        this.store = store;
    }

    /// Seals a payload for one task and version.
    ///
    /// @param payload the JSON text, UTF-8
    /// @param subject the person in the data; null when the task names none
    /// @throws dev.vigil.api.web.ProblemException 422 for a reference that is not there or not for this handler
    /// @throws SubjectUnderErasureException while that subject is being erased
    public TaskDraft.Sealed seal(Place place, byte[] payload, @Nullable String subject) {
        List<String> named = references.check(place, payload);
        byte[] index = subject == null ? null : subjects.of(place.namespace(), subject);
        DataKeys.SealingKey key = sealingKey(place, index);
        TaskKey taskKey = TaskKey.derive(key.key(), place.task(), place.version());
        byte[] sealedSubject = subject == null
                ? null
                : taskKey.seal(
                        place.subject(key.id()), SubjectIndex.normal(subject).getBytes(StandardCharsets.UTF_8));
        return new TaskDraft.Sealed(
                key.id(), place.version(), taskKey.seal(place.payload(key.id()), payload), index, sealedSubject, named);
    }

    /// Seals a further version of a task's payload; its subject stays the one it has.
    ///
    /// @param subjectIndex the subject's index as the task has it; null when it names none
    /// @throws dev.vigil.api.web.ProblemException as [#seal] does
    /// @throws SubjectUnderErasureException while that subject is being erased
    public TaskDraft.Sealed sealNext(Place place, byte[] payload, byte @Nullable [] subjectIndex) {
        List<String> named = references.check(place, payload);
        DataKeys.SealingKey key = sealingKey(place, subjectIndex);
        TaskKey taskKey = TaskKey.derive(key.key(), place.task(), place.version());
        return new TaskDraft.Sealed(
                key.id(), place.version(), taskKey.seal(place.payload(key.id()), payload), subjectIndex, null, named);
    }

    /// Whether a payload could be sealed there. Stores nothing.
    ///
    /// @throws dev.vigil.api.web.ProblemException as [#seal] does
    public void check(Place place, byte[] payload) {
        var _ = references.check(place, payload);
    }

    private DataKeys.SealingKey sealingKey(Place place, byte @Nullable [] subjectIndex) {
        return keys.forSealing(place.namespace(), subjectIndex).orElseThrow(SubjectUnderErasureException::new);
    }

    /// Opens what was sealed for a task. Whoever calls this has checked that the reader may, and records it.
    ///
    /// @param place   the task
    /// @param context which of its records: [Place#payload], [Place#result] and so on
    public Opened open(Place place, SealContext context, byte[] sealed) {
        return switch (taskKey(place, context.keyId())) {
            case KeyOf.Known(TaskKey key) -> {
                try {
                    yield new Opened.Plain(key.open(context, sealed));
                } catch (SealBrokenException _) {
                    yield broken(place, "seal_broken");
                }
            }
            case KeyOf.Erased _ -> new Opened.Erased();
            case KeyOf.Unknown _ -> broken(place, "unknown_key");
        };
    }

    /// The key of one task and version, for a worker that holds a dispatch of it.
    KeyOf taskKey(Place place, UUID keyId) {
        return switch (keys.find(keyId)) {
            case DataKeys.Lookup.Found(int namespace, byte[] key) -> {
                Optional<TaskKey> derived = namespace == place.namespace()
                        ? Optional.of(TaskKey.derive(key, place.task(), place.version()))
                        : Optional.empty();
                Arrays.fill(key, (byte) 0);
                yield derived.<KeyOf>map(KeyOf.Known::new).orElseGet(KeyOf.Unknown::new);
            }
            case DataKeys.Lookup.Destroyed _ -> new KeyOf.Erased();
            case DataKeys.Lookup.Unknown _ -> new KeyOf.Unknown();
        };
    }

    private Opened broken(Place place, String reason) {
        store.events()
                .appendAlone(store.events()
                        .event(EventType.PAYLOAD_VIEWED, "open", Result.FAILURE)
                        .namespace(place.namespace())
                        .task(place.task())
                        .with("reason", reason));
        return new Opened.Broken();
    }

    /// What became of the key behind a task.
    sealed interface KeyOf {
        record Known(TaskKey key) implements KeyOf {}

        record Erased() implements KeyOf {}

        /// No such key in that namespace.
        record Unknown() implements KeyOf {}
    }
}
