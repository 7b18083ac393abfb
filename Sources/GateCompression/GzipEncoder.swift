import CZlib

/// zlib's deflate state with the gzip format around it (RFC 1952). Used by one at a time.
package struct GzipEncoder: ~Copyable {
    /// On the heap: zlib refuses a state that has moved.
    private let state: UnsafeMutablePointer<z_stream>

    package enum Ending {
        /// More comes; what is held back may stay there.
        case open
        /// What has been put in can be read at the other end.
        case flushed
        /// The last of it.
        case finished
    }

    /// `nil` where there is no memory for it (256 KiB).
    ///
    /// - Parameter level: from 1, the fastest, to 9; level 4 is where zlib's lazy matching begins.
    package init?(level: Int32) {
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        // 15 bits of window, and 16 for the gzip format.
        guard
            deflateInit2_(
                state, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            state.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(state)
        state.deallocate()
    }

    /// Gives it what is to be compressed next. The bytes must stay where they are until ``take(into:_:)`` has taken all.
    package func give(_ bytes: UnsafeRawBufferPointer) {
        state.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = UInt32(bytes.count)
    }

    /// Takes what is compressed by now.
    ///
    /// - Returns: how many bytes are in `room`. Where they fill it there may be more, see zlib.h on deflate().
    package func take(into room: UnsafeMutableRawBufferPointer, _ ending: Ending) -> Int {
        state.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = UInt32(room.count)
        let flush =
            switch ending {
            case .open: Z_NO_FLUSH
            case .flushed: Z_SYNC_FLUSH
            case .finished: Z_FINISH
            }
        deflate(state, flush)
        return room.count - Int(state.pointee.avail_out)
    }

    /// After the end: begins anew.
    package func reset() { deflateReset(state) }
}
