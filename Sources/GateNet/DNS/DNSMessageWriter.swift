import GateCore

extension DNSMessage {
    /// The message without compression. It must fit the 65,535 bytes that a message may have.
    package var encoded: [UInt8] {
        func flag(_ isSet: Bool, _ bit: UInt16) -> UInt16 { isSet ? 1 << bit : 0 }
        var writer = DNSWriter()
        writer.put(id)
        writer.put(
            flag(isResponse, 15) | UInt16(operation & 15) << 11 | flag(isAuthoritative, 10) | flag(isTruncated, 9) | flag(wantsRecursion, 8)
                | flag(offersRecursion, 7) | flag(isAuthenticated, 5) | flag(isCheckingDisabled, 4) | code.rawValue & 15)
        writer.put(UInt16(questions.count))
        writer.put(UInt16(answers.count))
        writer.put(UInt16(authorities.count))
        writer.put(UInt16(additionals.count + (extensions == nil ? 0 : 1)))
        for question in questions {
            writer.bytes += question.name.wire
            writer.put(question.type.rawValue)
            writer.put(UInt16(1))
        }
        for record in answers + authorities + additionals { writer.put(record) }
        if let extensions { writer.put(extensions, upperCode: UInt8(code.rawValue >> 4)) }
        return writer.bytes
    }
}

/// Numbers in network order.
private struct DNSWriter {
    var bytes: [UInt8] = []

    mutating func put(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }

    mutating func put(_ value: UInt32) {
        put(UInt16(value >> 16))
        put(UInt16(truncatingIfNeeded: value))
    }

    mutating func put(_ value: UInt64) {
        put(UInt32(value >> 32))
        put(UInt32(truncatingIfNeeded: value))
    }

    /// With the length that `content` has before it.
    mutating func putSized(_ content: (inout DNSWriter) -> Void) {
        var inner = DNSWriter()
        content(&inner)
        put(UInt16(inner.bytes.count))
        bytes += inner.bytes
    }

    mutating func put(_ record: DNSRecord) {
        bytes += record.name.wire
        put(record.type.rawValue)
        put(UInt16(1))
        put(record.timeToLive)
        putSized { $0.put(record.data, of: record.type) }
    }

    mutating func put(_ data: DNSRecord.Content, of type: DNSRecordType) {
        switch data {
        case .address(let address) where address.isIPv4 && type == .aaaa:
            // RFC 4291 §2.5.5.2
            put(UInt64(0))
            put(UInt64(0xFFFF) << 32 | address.low)
        case .address(let address) where address.isIPv4: put(UInt32(truncatingIfNeeded: address.low))
        case .address(let address):
            put(address.high)
            put(address.low)
        case .name(let name): bytes += name.wire
        case .startOfAuthority(let soa):
            bytes += soa.primary.wire + soa.mailbox.wire
            for number in [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum] { put(number) }
        case .caa(let record):
            bytes += [record.isCritical ? 0x80 : 0, UInt8(record.tag.utf8.count)] + Array(record.tag.utf8) + Array(record.value.utf8)
        case .text(let strings): for string in strings { bytes += [UInt8(string.count)] + string }
        case .other(let content): bytes += content
        }
    }

    mutating func put(_ extensions: DNSExtensions, upperCode: UInt8) {
        bytes.append(0)
        put(DNSRecordType.opt.rawValue)
        put(extensions.payloadSize)
        put(UInt32(upperCode) << 24 | UInt32(extensions.version) << 16)
        putSized { options in
            for error in extensions.errors {
                options.put(UInt16(15))
                options.putSized { option in
                    option.put(error.code)
                    option.bytes += Array(error.text.utf8)
                }
            }
        }
    }
}
