{{/* How every object of a release is named and found. `part` is worker-NAME, beat or serve. */}}
{{- define "rotator.name" -}}
{{ printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "rotator.selector" -}}
app.kubernetes.io/name: rotator
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "rotator.labels" -}}
{{ include "rotator.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end -}}

{{/* One deployment: `part`, its `args`, `replicas`, `resources`, and a `port` where it listens. */}}
{{- define "rotator.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "rotator.name" . }}
  labels:
    {{- include "rotator.labels" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels:
      {{- include "rotator.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template:
    metadata:
      labels:
        {{- include "rotator.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ .root.Values.config | sha256sum }}
    spec:
      serviceAccountName: {{ .root.Release.Name }}-rotator
      # The rotator asks Kubernetes nothing of its own accord: a connection names its credential.
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "rotator.selector" . | nindent 14 }}
      containers:
        - name: rotator
          {{- with .root.Values.image }}
          image: {{ if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
          imagePullPolicy: {{ .pullPolicy }}
          {{- end }}
          args: {{ toJson .args }}
          env:
            - name: ROTATOR_DATABASE_URL
              valueFrom:
                secretKeyRef: {name: {{ .secret }}, key: database-url}
            - name: ROTATOR_BROKER_URL
              valueFrom:
                secretKeyRef: {name: {{ .secret }}, key: broker-url}
            - name: ROTATOR_SEAL_KEY
              value: file:/run/secrets/rotator/seal-key
          {{- with .port }}
          ports:
            - {name: http, containerPort: {{ . }}}
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 5
          {{- end }}
          resources:
            {{- toYaml .resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            - {name: data, mountPath: /var/lib/rotator}
            - {name: config, mountPath: /etc/rotator, readOnly: true}
            - {name: seal, mountPath: /run/secrets/rotator, readOnly: true}
            {{- range .root.Values.secrets.mounted }}
            - {name: {{ printf "of-%s" . }}, mountPath: /run/secrets/{{ . }}, readOnly: true}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {medium: Memory, sizeLimit: 64Mi}
        - name: data
          emptyDir: {sizeLimit: 64Mi}
        - name: config
          configMap: {name: {{ .root.Release.Name }}-rotator}
        - name: seal
          secret:
            secretName: {{ .secret }}
            defaultMode: 0440
            items:
              - {key: seal-key, path: seal-key}
        {{- range .root.Values.secrets.mounted }}
        - name: {{ printf "of-%s" . }}
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}
{{- if gt (int .replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "rotator.name" . }}
  labels:
    {{- include "rotator.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "rotator.selector" . | nindent 6 }}
{{- end }}
{{- end -}}
