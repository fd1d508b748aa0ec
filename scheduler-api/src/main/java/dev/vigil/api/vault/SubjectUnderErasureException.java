package dev.vigil.api.vault;

/// A payload names a subject whose erasure is running: nothing about him is stored until it is done.
public final class SubjectUnderErasureException extends RuntimeException {
    private static final long serialVersionUID = 1;

    SubjectUnderErasureException() {
        super("the subject of this task is being erased; send the task again when the erasure is done");
    }
}
