import GateACME
import GateHTTP

extension Composition {
    /// What HTTPS answers, and plain HTTP where there is no HTTPS.
    var responder: any Responder { DoctorEndpoint(doctorProof, next: api) }

    /// What plain HTTP answers: challenges first, before redirect, sign-in and limits (CHECKLIST 38).
    func plainResponder(_ front: HTTPSFront?) -> any Responder {
        guard let front else { return responder }
        guard configuration.tls.redirect else { return HTTP01Responder(front.http01, before: responder) }
        let redirect = HTTPSRedirect(to: configuration.publicURL, names: configuration.acme.domains, api: api)
        return HTTP01Responder(front.http01, before: DoctorEndpoint(doctorProof, next: redirect))
    }
}
