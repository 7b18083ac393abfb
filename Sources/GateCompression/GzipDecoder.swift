import CZlib

/// zlib's inflate state for one member of the gzip format (RFC 1952). Used by one at a time.
package struct GzipDecoder: ~Copyable {
    /// On the heap: zlib refuses a state that has moved.
    private let state: UnsafeMutablePointer<z_stream>

    /// One call's work.
    package struct Step: Hashable, Sendable {
        /// Bytes of the input that were used.
        package var consumed: Int
        /// Bytes that are in the output.
        package var produced: Int
        /// The member has ended, and its checksum and length are right. What is left of the input does not belong to it.
        package var isOver: Bool
    }

    /// What was given is not in the gzip format, or its checksum is wrong.
    package struct Damage: Error, Hashable, Sendable {
        package let reason: String
    }

    /// `nil` where there is no memory for it (40 KiB).
    package init?() {
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        guard inflateInit2_(state, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            state.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(state)
        state.deallocate()
    }

    /// Decompresses as much of `input` as `room` has space for. Without progress, more of either is needed.
    package func decode(_ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) throws(Damage) -> Step {
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = UInt32(input.count)
        state.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = UInt32(room.count)
        let code = inflate(state, Z_NO_FLUSH)
        // Z_BUF_ERROR says that there was nothing to do, see zlib.h on inflate().
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
            throw Damage(reason: state.pointee.msg.map { String(cString: $0) } ?? "code \(code)")
        }
        return Step(
            consumed: input.count - Int(state.pointee.avail_in), produced: room.count - Int(state.pointee.avail_out),
            isOver: code == Z_STREAM_END)
    }
}
