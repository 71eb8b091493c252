"""The words that stand beside identifiers and say what a number is.

Each row: kind, the label shown in explanations, the words. Kinds after `other:` say that a number is something else.
"""

KEYWORDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ssn", "SSN", (
        "ssn", "ssns", "ssn#", "ss#", "ss number", "ss no", "s s n", "soc sec", "soc sec no", "social security",
        "social security number", "social security no", "social security #", "social sec", "social sec no", "ssid",
        "ssa number", "social number", "my social", "her social", "his social", "numero de seguro social",
        "seguro social",
    )),
    ("mbi", "Medicare", (
        "mbi", "medicare", "medicare number", "medicare no", "medicare id", "medicare beneficiary", "hicn",
        "beneficiary id", "beneficiary identifier", "medicare beneficiary identifier", "numero de medicare",
    )),
    ("member", "member ID", (
        "member id", "member no", "member number", "member", "memberid", "member identifier", "subscriber id",
        "subscriber no", "subscriber number", "subscriber", "insurance id", "insurance no", "insurance number",
        "insurance card", "health plan id", "health plan beneficiary", "medicaid id", "medicaid number", "medicaid no",
        "medicaid", "insured id", "insured s id", "policy holder id", "policyholder id", "plan id", "enrollee id",
        "beneficiary number", "group and member", "ins id", "hmo id", "id card number", "numero de miembro",
        "numero de afiliado", "cardholder id", "rx id", "member policy",
    )),
    ("mrn", "MRN", (
        "mrn", "mrn#", "mr", "mr#", "mr no", "mr number", "medical record", "medical record number",
        "medical record no", "med rec", "med rec no", "medical rec no", "chart", "chart no", "chart number", "chart id",
        "patient id", "patient no", "patient number", "patient identifier", "pt id", "patient account",
        "patient account number", "patient acct", "pt acct", "hospital number", "hospital no", "encounter",
        "encounter number", "encounter no", "visit number", "visit no", "accession", "accession number",
        "accession no", "csn", "unit number", "record number", "record no", "numero de expediente",
        "historia clinica no", "case record", "fin", "har", "empi", "mpi",
    )),
    ("dob", "DOB", (
        "dob", "d o b", "date of birth", "birth date", "birthdate", "birthday", "born", "born on", "bday", "b day",
        "fecha de nacimiento", "nacido el", "nacida el", "f nac", "date birth", "birth",
    )),
    ("licence", "driver licence", (
        "driver license", "driver s license", "drivers license", "driver licence", "driver s licence",
        "drivers licence", "driver license number", "driver s license number", "drivers license number",
        "driver lic", "drivers lic", "driver s lic", "dl", "dl no", "dl number", "dl#", "dln", "license number",
        "license no", "state id", "state id number", "licencia de conducir",
    )),
    ("passport", "passport", ("passport", "passport no", "passport number", "pasaporte")),
    ("itin", "ITIN", ("itin", "individual taxpayer", "taxpayer id", "taxpayer identification")),
    ("npi", "NPI", ("npi", "npi#", "npi no", "npi number", "national provider identifier", "provider id",
        "provider no")),
    ("dea", "DEA", ("dea", "dea#", "dea no", "dea number", "dea registration")),
    ("card", "card", (
        "card", "credit card", "debit card", "card number", "card no", "visa", "mastercard", "amex",
        "american express", "discover", "cc", "cc#", "cvv", "exp", "tarjeta",
    )),
    ("account", "account", (
        "account", "account number", "account no", "acct", "acct no", "acct#", "policy number", "policy no", "policy",
        "policy#", "claim number", "claim no", "claim#", "claim", "group number", "donor id", "id", "id no",
        "id number", "identification number", "identifier", "rx", "rx no", "rx number",
    )),
    ("phone", "phone", (
        "phone", "telephone", "tel", "cell", "mobile", "home phone", "call", "ph", "reach me", "reached at",
        "telefono", "call back", "callback",
    )),
    ("icd", "diagnosis", (
        "dx", "diagnosis", "diagnoses", "diagnosed", "diagnosis code", "dx code", "diag", "diagnostic code", "icd",
        "icd 10", "icd10", "icd 10 cm", "icd code", "assessment", "impression", "problem list", "indication",
        "principal diagnosis", "secondary diagnosis", "diagnostico", "condition code", "encounter for", "reason code",
        "admitting diagnosis", "billing diagnosis", "primary dx", "secondary dx", "billed",
        "preoperative diagnosis", "ddx",
    )),
    ("cpt", "procedure code", (
        "cpt", "cpt code", "cpt codes", "hcpcs", "hcpcs code", "procedure", "procedure code", "procedures",
        "service code", "proc code", "proc", "billing code", "cpt hcpcs", "billed",
    )),
    ("ndc", "NDC", ("ndc", "ndc#", "ndc no", "ndc number", "national drug code")),
    ("name", "name", (
        "patient name", "name", "patient", "pt", "full name", "first name", "last name", "member name", "insured",
        "claimant", "resident", "client", "employee", "plaintiff", "donor", "injured worker", "account holder",
        "subscriber name", "guarantor", "nombre", "paciente", "nombre del paciente", "legal name", "last", "first",
        "surname", "given name", "beneficiary name", "mother", "father", "child", "student", "participant", "inmate",
        "athlete", "deceased", "decedent", "applicant", "proband", "infant", "caller", "detainee", "victim", "enrollee",
        "mbr", "on tube", "on requisition", "preferred name", "birth mother",
    )),
    ("drug", "medication", ("medication", "drug", "meds", "rx", "medicine", "medications", "medicamento")),
    ("other:phone", "phone", ("fax", "fax no", "extension", "ext", "pager", "toll free")),
    ("other:order", "order", (
        "invoice", "invoice no", "invoice number", "order", "order no", "order number", "tracking", "tracking number",
        "tracking no", "po", "po number", "p o", "purchase order", "ticket", "ticket number", "case number", "case no",
        "confirmation", "confirmation number", "confirmation code", "reservation", "booking", "serial", "serial number",
        "sku", "part", "part number", "item", "item number", "model", "version", "reference", "reference number",
        "ref", "ref no", "receipt", "transaction", "transaction id", "batch", "build", "ein", "tax id", "fein", "vat",
        "routing", "routing number", "iban", "check number", "license key", "product key", "zip", "zip code",
        "zipcode", "postal code", "meeting id", "conference id", "passcode", "flight", "ups", "fedex", "usps",
        "parcel", "shipment", "catalog", "lot", "lot number", "isbn", "issn", "message id", "bug", "issue", "revision",
    )),
)  # fmt: skip
