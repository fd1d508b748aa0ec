package dev.vigil.protocol.link;

import java.util.List;

/// The body of a DISPATCH frame.
///
/// @param heartbeat the newest heartbeat that the core has heard on this connection; the worker refuses the batch
///                  when it sent that one more than five seconds ago
/// @param records   at most 512
public record DispatchBatch(long heartbeat, List<DispatchRecord> records) {
    /// Records in one frame: as many as one materials call takes.
    public static final int RECORDS_MAX = 512;

    public DispatchBatch {
        records = List.copyOf(records);
    }
}
