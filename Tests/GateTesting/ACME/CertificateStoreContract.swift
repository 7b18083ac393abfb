package import GateACME
import GateCore
import Testing

/// What every ``CertificateStore`` must do.
package enum CertificateStoreContract {
    package struct Subject: Sendable {
        package let store: any CertificateStore
        /// The same as another instance sees it.
        package let other: any CertificateStore
        /// Whether instances share it.
        package let isShared: Bool

        package init(store: any CertificateStore, other: any CertificateStore, isShared: Bool) {
            self.store = store
            self.other = other
            self.isShared = isShared
        }
    }

    package struct Case: Sendable, CustomTestStringConvertible {
        package let testDescription: String
        package let run: @Sendable (Subject) async throws -> Void

        init(_ name: String, _ run: @escaping @Sendable (Subject) async throws -> Void) {
            testDescription = name
            self.run = run
        }
    }

    private static let account = CertificateRecord.account("https://ca.test/directory")
    private static let certificate = CertificateRecord.certificate("example.com-1a2b3c4d")
    private static let order = CertificateRecord.order("example.com-1a2b3c4d", directory: "https://ca.test/directory")
    private static let records = [account, certificate, order, .history]
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    package static let cases: [Case] = [
        Case("CHECKLIST 37: what was saved is found, by every instance, each record by itself") { subject async throws in
            try await subject.store.open()
            for record in records { #expect(try await subject.store.load(record) == nil) }
            for (number, record) in records.enumerated() { try await subject.store.save(content(number), as: record) }
            try await subject.other.open()
            for (number, record) in records.enumerated() { #expect(try await subject.other.load(record) == content(number)) }
            try await subject.store.save(content(7), as: certificate)
            #expect(try await subject.other.load(certificate) == content(7))
            #expect(try await subject.other.load(account) == content(0))
            #expect(try await subject.other.load(.account("https://ca.test/other")) == nil)
        },
        Case("keys are those of the kind, sorted") { subject async throws in
            try await subject.store.open()
            for kind in CertificateRecord.Kind.allCases { #expect(try await subject.store.keys(of: kind) == []) }
            for key in ["b.test-2", "a.test-1"] { try await subject.store.save(content(1), as: .certificate(key)) }
            try await subject.store.save(content(2), as: account)
            try await subject.store.save(content(3), as: .history)
            #expect(try await subject.other.keys(of: .certificate) == ["a.test-1", "b.test-2"])
            #expect(try await subject.other.keys(of: .account) == [account.key])
            #expect(try await subject.other.keys(of: .order) == [])
            #expect(try await subject.other.keys(of: .history) == ["history"])
        },
        Case("a record is removed, and one that is not there as well") { subject async throws in
            try await subject.store.open()
            try await subject.store.save(content(1), as: order)
            try await subject.store.remove(order)
            try await subject.store.remove(order)
            #expect(try await subject.other.load(order) == nil)
        },
        Case("what is added does not take the place of what is there") { subject async throws in
            try await subject.store.open()
            #expect(try await subject.store.add(content(1), as: account))
            #expect(try await !subject.other.add(content(2), as: account))
            #expect(try await subject.store.load(account) == content(1))
        },
        Case("what is set aside keeps its content, and is not found any more") { subject async throws in
            try await subject.store.open()
            try await subject.store.save(content(1), as: certificate)
            let (path, aside) = try await subject.store.setAside(certificate, at: now)
            #expect(path.contains(certificate.key) && aside.contains(certificate.key) && path != aside)
            #expect(try await subject.other.load(certificate) == nil)
            #expect(try await subject.other.keys(of: .certificate) == [])
            try await subject.store.save(content(2), as: certificate)
            #expect(try await subject.other.load(certificate) == content(2))
        },
        Case("the version grows with every certificate and history that is saved, where instances share the store") {
            subject async throws in
            try await subject.store.open()
            var last = try await subject.other.version()
            for record in [certificate, .history, certificate, .history] {
                // Orders come and go in between.
                try await subject.store.save(content(1), as: order)
                try await subject.store.remove(order)
                try await subject.store.save(content(2), as: record)
                let version = try await subject.other.version()
                #expect(subject.isShared ? version > last : version == last)
                last = version
            }
        },
        Case("contents of any bytes and of 256 KiB come back as they were") { subject async throws in
            try await subject.store.open()
            let large = Secret((0..<(256 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try await subject.store.save(large, as: account)
            #expect(try await subject.other.load(account) == large)
            try await subject.store.save(Secret([]), as: account)
            #expect(try await subject.other.load(account) == Secret([]))
        },
        Case("all records of another store are added, once") { subject async throws in
            let folder = TemporaryFolder()
            let before = FileCertificateStore(folder: folder.file("acme"))
            try await subject.store.open()
            #expect(try await subject.store.addAll(of: before) == 0, "there is no such folder")
            try before.open()
            for (number, record) in records.enumerated() { try before.save(content(number), as: record) }
            try await subject.store.save(content(9), as: .history)
            #expect(try await subject.store.addAll(of: before) == 3)
            #expect(try await subject.store.addAll(of: before) == 0)
            #expect(try await subject.other.load(order) == content(2))
            #expect(try await subject.other.load(.history) == content(9))
        },
    ]

    private static func content(_ number: Int) -> Secret { Secret("content \(number)\n") }
}
